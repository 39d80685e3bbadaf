package corpus

//go:noinline
func ImplicitBelow64K() int { p := &[8000]int{}; p[3] = 1; return p[3] }

//go:noinline
func ImplicitAbove64K() int { p := &[9000]int{}; p[3] = 1; return p[3] }

//go:noinline
func ExplicitBelow128K() int { var a [16000]int; a[few] = 1; return a[none] }

//go:noinline
func ExplicitAbove128K() int { var a [16400]int; a[few] = 1; return a[none] }

//go:noinline
func MakeBelow64K() int { s := make([]int, 8000); s[3] = 1; return s[3] }

//go:noinline
func MakeAbove64K() int { s := make([]int, 9000); s[few] = 1; return s[none] }

//go:noinline
func NewOfEmptyStruct() *empty { return new(empty) }

//go:noinline
func NewOfEmptyArray() *[0]int { return new([0]int) }

//go:noinline
func MakesEmptySlice(n int) []int { return make([]int, n) }

//go:noinline
func MakesSliceOfEmpty(n int) []empty { return make([]empty, n) }

//go:noinline
func SmallestObject() *byte { return new(byte) }

//go:noinline
func TinyObjectWithoutPointers(n int32) *int32 { return &n }

//go:noinline
func LargeObject() *[5000]int { return new([5000]int) }

//go:noinline
func ObjectOf80Bytes() *[10]int { return new([10]int) }

//go:noinline
func ObjectOf88Bytes() *[11]int { return new([11]int) }

//go:noinline
func ObjectWithPointers() *[12]*int { return new([12]*int) }

var sizes = []Function{
	{"ImplicitBelow64K", func() { ImplicitBelow64K() }},
	{"ImplicitAbove64K", func() { ImplicitAbove64K() }},
	{"ExplicitBelow128K", func() { ExplicitBelow128K() }},
	{"ExplicitAbove128K", func() { ExplicitAbove128K() }},
	{"MakeBelow64K", func() { MakeBelow64K() }},
	{"MakeAbove64K", func() { MakeAbove64K() }},
	{"NewOfEmptyStruct", func() { NewOfEmptyStruct() }},
	{"NewOfEmptyArray", func() { NewOfEmptyArray() }},
	{"MakesEmptySlice", func() { MakesEmptySlice(none) }},
	{"MakesSliceOfEmpty", func() { MakesSliceOfEmpty(many) }},
	{"SmallestObject", func() { SmallestObject() }},
	{"TinyObjectWithoutPointers", func() { TinyObjectWithoutPointers(12345) }},
	{"LargeObject", func() { LargeObject() }},
	{"ObjectOf80Bytes", func() { ObjectOf80Bytes() }},
	{"ObjectOf88Bytes", func() { ObjectOf88Bytes() }},
	{"ObjectWithPointers", func() { ObjectWithPointers() }},
}
