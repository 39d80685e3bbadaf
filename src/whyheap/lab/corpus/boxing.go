package corpus

import "errors"

//go:noinline
func BoxesConstant() any { return 123456 }

//go:noinline
func BoxesSmallConstant() any { return 7 }

//go:noinline
func BoxesText() any { return "constant" }

//go:noinline
func BoxesInt(n int) any { return n }

//go:noinline
func BoxesSmallInt(n int) any { return n }

//go:noinline
func BoxesByte(b byte) any { return b }

//go:noinline
func BoxesBool(b bool) any { return b }

//go:noinline
func BoxesString(s string) any { return s }

//go:noinline
func BoxesSlice(s []int) any { return s }

//go:noinline
func BoxesStruct(p point) any { return p }

//go:noinline
func BoxesPointer(p *point) any { return p }

//go:noinline
func BoxesEmptyStruct() any { return empty{} }

//go:noinline
func BoxesMap(m map[string]int) any { return m }

//go:noinline
func BoxesFunc(f func()) any { return f }

//go:noinline
func BoxesFloat(f float64) any { return f }

//go:noinline
func BoxesLocally(n int) bool { var a any = n; return a != nil }

//go:noinline
func BoxesKnownLocal() int {
	x := 123456
	var a any = x
	return a.(int)
}

//go:noinline
func BoxesForCallee(p point) bool { return isNil(p) }

//go:noinline
func isNil(a any) bool { return a == nil }

//go:noinline
func BoxesIntoGlobal(p point) { sinkAny = p }

//go:noinline
func BoxesIntoSlice(p point) []any { return []any{p, p} }

//go:noinline
func BoxesVariadic(p point) int { return countAny(p, p) }

//go:noinline
func countAny(all ...any) int { return len(all) }

//go:noinline
func BoxesVariadicKept(p point) int { return keepAny(p, p) }

//go:noinline
func keepAny(all ...any) int { sinkAny = all[0]; return len(all) }

type failure struct{ code, line int }

func (f failure) Error() string { return "failure" }

type failurePointer struct{ code int }

func (f *failurePointer) Error() string { return "failure" }

//go:noinline
func ErrorOfValue(n int) error { return failure{n, n} }

//go:noinline
func ErrorOfPointer(n int) error { return &failurePointer{n} }

var errReady = errors.New("ready")

//go:noinline
func ErrorReady() error { return errReady }

//go:noinline
func ErrorOnlyOnFailure(n int) error {
	if n < 0 {
		return failure{n, n}
	}
	return nil
}

//go:noinline
func UnboxesInt(a any) int { return a.(int) }

//go:noinline
func UnboxesByType(a any) int {
	switch v := a.(type) {
	case int:
		return v
	case string:
		return len(v)
	}
	return 0
}

//go:noinline
func ComparesInterfaces(a, b any) bool { return a == b }

var (
	boxedInt   any = 123456
	boxedText  any = longText
	aPoint         = point{1, 2, 3}
	anEmptyFun     = func() {}
)

var boxing = []Function{
	{"BoxesConstant", func() { BoxesConstant() }},
	{"BoxesSmallConstant", func() { BoxesSmallConstant() }},
	{"BoxesText", func() { BoxesText() }},
	{"BoxesInt", func() { BoxesInt(large) }},
	{"BoxesSmallInt", func() { BoxesSmallInt(few) }},
	{"BoxesByte", func() { BoxesByte(200) }},
	{"BoxesBool", func() { BoxesBool(yes) }},
	{"BoxesString", func() { BoxesString(longText) }},
	{"BoxesSlice", func() { BoxesSlice(numbers) }},
	{"BoxesStruct", func() { BoxesStruct(aPoint) }},
	{"BoxesPointer", func() { BoxesPointer(slot) }},
	{"BoxesEmptyStruct", func() { BoxesEmptyStruct() }},
	{"BoxesMap", func() { BoxesMap(table) }},
	{"BoxesFunc", func() { BoxesFunc(anEmptyFun) }},
	{"BoxesFloat", func() { BoxesFloat(3.25) }},
	{"BoxesLocally", func() { BoxesLocally(large) }},
	{"BoxesKnownLocal", func() { BoxesKnownLocal() }},
	{"BoxesForCallee", func() { BoxesForCallee(aPoint) }},
	{"BoxesIntoGlobal", func() { BoxesIntoGlobal(aPoint) }},
	{"BoxesIntoSlice", func() { BoxesIntoSlice(aPoint) }},
	{"BoxesVariadic", func() { BoxesVariadic(aPoint) }},
	{"BoxesVariadicKept", func() { BoxesVariadicKept(aPoint) }},
	{"ErrorOfValue", func() { _ = ErrorOfValue(large) }},
	{"ErrorOfPointer", func() { _ = ErrorOfPointer(large) }},
	{"ErrorReady", func() { _ = ErrorReady() }},
	{"ErrorOnlyOnFailure", func() { _ = ErrorOnlyOnFailure(large) }},
	{"UnboxesInt", func() { UnboxesInt(boxedInt) }},
	{"UnboxesByType", func() { UnboxesByType(boxedText) }},
	{"ComparesInterfaces", func() { ComparesInterfaces(boxedInt, boxedText) }},
}
