package corpus

func newPoint(n int) *point { return &point{x: n} }

func newLocal(n int) *point { p := newPoint(n); p.y++; return p }

type options struct {
	size int
	name string
}

type option func(*options)

func withSize(n int) option { return func(o *options) { o.size = n } }

//go:noinline
func InlinedConstructorStays(n int) int { p := newPoint(n); return p.x }

//go:noinline
func InlinedConstructorEscapes(n int) *point { return newPoint(n) }

//go:noinline
func InlinedTwice(n int) *point { return newLocal(n) }

//go:noinline
func NotInlinedConstructor(n int) int { return notInlined(n).x }

//go:noinline
func notInlined(n int) *point { return &point{x: n} }

//go:noinline
func ChainOfCallees(n int) *point { return first(n) }

//go:noinline
func first(n int) *point { return second(n + 1) }

//go:noinline
func second(n int) *point { return third(n + 1) }

//go:noinline
func third(n int) *point { return &point{x: n} }

//go:noinline
func RecursesWithoutHeap(n int) int {
	if n <= 1 {
		return 1
	}
	return n * RecursesWithoutHeap(n-1)
}

//go:noinline
func RecursesWithHeap(n int) *node {
	if n == 0 {
		return &node{}
	}
	return &node{RecursesWithHeap(n - 1), n}
}

//go:noinline
func MutualRecursion(n int) bool { return isEven(n) }

//go:noinline
func isEven(n int) bool { return n == 0 || isOdd(n-1) }

//go:noinline
func isOdd(n int) bool { return n != 0 && isEven(n-1) }

//go:noinline
func FunctionalOption(n int) int { return applied(withSize(n)) }

//go:noinline
func applied(all ...option) int {
	var o options
	for _, one := range all {
		one(&o)
	}
	return o.size
}

//go:noinline
func CalleeInBranchNotTaken(make bool, n int) int {
	if make {
		sinkPointer = notInlined(n)
	}
	return n
}

//go:noinline
func CalleeInBothBranches(left bool, n int) *point {
	if left {
		return notInlined(n)
	}
	return third(n)
}

//go:noinline
func ResultIgnored(n int) { notInlined(n) }

//go:noinline
func DeadCode(n int) int {
	if false {
		sinkPointer = &point{}
	}
	return n
}

var inlined = []Function{
	{"InlinedConstructorStays", func() { InlinedConstructorStays(large) }},
	{"InlinedConstructorEscapes", func() { InlinedConstructorEscapes(large) }},
	{"InlinedTwice", func() { InlinedTwice(large) }},
	{"NotInlinedConstructor", func() { NotInlinedConstructor(large) }},
	{"ChainOfCallees", func() { ChainOfCallees(large) }},
	{"RecursesWithoutHeap", func() { RecursesWithoutHeap(few) }},
	{"RecursesWithHeap", func() { RecursesWithHeap(few) }},
	{"MutualRecursion", func() { MutualRecursion(few) }},
	{"FunctionalOption", func() { FunctionalOption(large) }},
	{"CalleeInBranchNotTaken", func() { CalleeInBranchNotTaken(no, large) }},
	{"CalleeInBothBranches", func() { CalleeInBothBranches(yes, large) }},
	{"ResultIgnored", func() { ResultIgnored(large) }},
	{"DeadCode", func() { DeadCode(large) }},
}
