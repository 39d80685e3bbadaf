package corpus

//go:noinline
func MakesSlice(n int) []int { return make([]int, n) }

//go:noinline
func MakesSliceOfConstant() []int { return make([]int, 100) }

//go:noinline
func MakesSliceLocally() int { s := make([]int, 100); s[5] = 1; return s[5] + len(s) }

//go:noinline
func MakesVariableSliceLocally(n int) int { s := make([]int, n); return len(s) + cap(s) + sumInts(s) }

//go:noinline
func MakesSmallVariableSliceLocally(n int) int { s := make([]int, n); return len(s) + sumInts(s) }

//go:noinline
func MakesKnownVariableSliceLocally() int { n := 100; s := make([]int, n); return sumInts(s) }

//go:noinline
func sumInts(s []int) int {
	total := 0
	for _, n := range s {
		total += n
	}
	return total
}

//go:noinline
func SliceLiteral(n int) []int { return []int{n, n, n, n, n} }

//go:noinline
func SliceLiteralLocally(n int) int { return sumInts([]int{n, n, n, n, n}) }

//go:noinline
func EmptySliceLiteral() []int { return []int{} }

//go:noinline
func NilSlice() []int { return nil }

//go:noinline
func AppendsOneToNil(n int) []int { var s []int; return append(s, n) }

//go:noinline
func AppendsThreeLocally(n int) int {
	var s []int
	for i := 0; i < 3; i++ {
		s = append(s, n)
	}
	return sumInts(s)
}

//go:noinline
func AppendsManyLocally(n int) int {
	var s []int
	for i := 0; i < n; i++ {
		s = append(s, i)
	}
	return sumInts(s)
}

//go:noinline
func AppendsThreeReturned(n int) []int {
	var s []int
	for i := 0; i < 3; i++ {
		s = append(s, n)
	}
	return s
}

//go:noinline
func AppendsManyReturned(n int) []int {
	var s []int
	for i := 0; i < n; i++ {
		s = append(s, i)
	}
	return s
}

//go:noinline
func AppendsWithRoom(s []int, n int) []int { return append(s, n) }

//go:noinline
func AppendsPreallocated(n int) []int {
	s := make([]int, 0, n)
	for i := 0; i < n; i++ {
		s = append(s, i)
	}
	return s
}

//go:noinline
func AppendsSlice(s []int) []int { return append([]int(nil), s...) }

//go:noinline
func CopiesSlice(s []int) []int { c := make([]int, len(s)); copy(c, s); return c }

//go:noinline
func Reslices(s []int) []int { return s[2:5] }

//go:noinline
func FiltersInPlace(s []int) []int {
	kept := s[:0]
	for _, n := range s {
		if n > 3 {
			kept = append(kept, n)
		}
	}
	return kept
}

//go:noinline
func SliceOfSlices(n int) [][]int {
	rows := make([][]int, n)
	for i := range rows {
		rows[i] = make([]int, n)
	}
	return rows
}

//go:noinline
func SliceOfPointers(n int) []*point {
	all := make([]*point, 0, 3)
	for i := 0; i < 3; i++ {
		all = append(all, &point{x: n})
	}
	return all
}

//go:noinline
func VariadicOnStack(n int) int { return sumVariadic(n, n, n) }

//go:noinline
func sumVariadic(all ...int) int { return all[0] + len(all) }

//go:noinline
func VariadicKept(n int) int { return keepVariadic(n, n, n) }

//go:noinline
func keepVariadic(all ...int) int { sinkInts = all; return len(all) }

//go:noinline
func SliceOfArray(n int) []int { var a [8]int; a[0] = n; return a[:] }

//go:noinline
func ReversesInPlace(s []int) {
	for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
		s[i], s[j] = s[j], s[i]
	}
}

var (
	withRoom = make([]int, 2, 16)
	scratch  = []int{1, 2, 3, 4, 5, 6}
)

var slices = []Function{
	{"MakesSlice", func() { MakesSlice(many) }},
	{"MakesSliceOfConstant", func() { MakesSliceOfConstant() }},
	{"MakesSliceLocally", func() { MakesSliceLocally() }},
	{"MakesVariableSliceLocally", func() { MakesVariableSliceLocally(many) }},
	{"MakesSmallVariableSliceLocally", func() { MakesSmallVariableSliceLocally(few) }},
	{"MakesKnownVariableSliceLocally", func() { MakesKnownVariableSliceLocally() }},
	{"SliceLiteral", func() { SliceLiteral(large) }},
	{"SliceLiteralLocally", func() { SliceLiteralLocally(large) }},
	{"EmptySliceLiteral", func() { EmptySliceLiteral() }},
	{"NilSlice", func() { NilSlice() }},
	{"AppendsOneToNil", func() { AppendsOneToNil(large) }},
	{"AppendsThreeLocally", func() { AppendsThreeLocally(large) }},
	{"AppendsManyLocally", func() { AppendsManyLocally(many) }},
	{"AppendsThreeReturned", func() { AppendsThreeReturned(large) }},
	{"AppendsManyReturned", func() { AppendsManyReturned(many) }},
	{"AppendsWithRoom", func() { AppendsWithRoom(withRoom, large) }},
	{"AppendsPreallocated", func() { AppendsPreallocated(many) }},
	{"AppendsSlice", func() { AppendsSlice(numbers) }},
	{"CopiesSlice", func() { CopiesSlice(numbers) }},
	{"Reslices", func() { Reslices(numbers) }},
	{"FiltersInPlace", func() { FiltersInPlace(scratch) }},
	{"SliceOfSlices", func() { SliceOfSlices(few) }},
	{"SliceOfPointers", func() { SliceOfPointers(large) }},
	{"VariadicOnStack", func() { VariadicOnStack(large) }},
	{"VariadicKept", func() { VariadicKept(large) }},
	{"SliceOfArray", func() { SliceOfArray(large) }},
	{"ReversesInPlace", func() { ReversesInPlace(scratch) }},
}
