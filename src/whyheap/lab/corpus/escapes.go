package corpus

//go:noinline
func ReturnsAddress() *point { p := point{1, 2, 3}; return &p }

//go:noinline
func ReturnsNew() *int { return new(int) }

//go:noinline
func ReturnsLiteral(n int) *node { return &node{value: n} }

//go:noinline
func KeepsOnStack(n int) int { p := &point{n, n, n}; return p.x + p.y }

//go:noinline
func StoresInGlobal(n int) { sinkPointer = &point{x: n} }

//go:noinline
func StoresInParameter(into **point, n int) { *into = &point{y: n} }

//go:noinline
func StoresInField(into *node, n int) { into.next = &node{value: n} }

//go:noinline
func StoresInSlice(into []*point) { into[0] = &point{} }

//go:noinline
func StoresInMap(into map[int]*point) { into[1] = &point{} }

//go:noinline
func AddressToCallee(n int) int { return readPointer(&n) }

//go:noinline
func readPointer(p *int) int { return *p }

//go:noinline
func AddressKeptByCallee(n int) int { keepPointer(&n); return n }

//go:noinline
func keepPointer(p *int) { sinkInt = p }

//go:noinline
func TwoMovedVariables() (*int, *int) { a, b := 1, 2; return &a, &b }

//go:noinline
func ListOfThree() *node { return &node{&node{&node{nil, 3}, 2}, 1} }

//go:noinline
func LinkedLocally() int {
	last := node{nil, 3}
	first := node{&last, 1}
	return first.next.value
}

//go:noinline
func ReturnsParameter(p *point) *point { return p }

//go:noinline
func ReturnsByValue(n int) point { return point{n, n, n} }

//go:noinline
func IndirectAssignment() {
	p := &point{}
	q := &p
	sinkPointer = *q
}

//go:noinline
func ReturnsInterfaceOfPointer() any { return &point{} }

//go:noinline
func ConditionalEscapeTaken(keep bool) int {
	p := &point{x: 1}
	if keep {
		sinkPointer = p
	}
	return p.x
}

//go:noinline
func NewInBranchNotTaken(keep bool) *point {
	if keep {
		return &point{}
	}
	return sinkPointer
}

//go:noinline
func NewInBothBranches(left bool) *point {
	if left {
		return &point{x: 1}
	}
	return &point{y: 1}
}

//go:noinline
func PanicsOnlyWithHeap(n int) int {
	if n < 0 {
		panic(&point{x: n})
	}
	return n
}

//go:noinline
func ArrayByValue() [64]int { var a [64]int; a[3] = 1; return a }

//go:noinline
func ArrayByAddress() *[64]int { var a [64]int; a[3] = 1; return &a }

var (
	slot   *point
	holder = &node{}
	slotsP = make([]*point, 1)
	mapsP  = map[int]*point{1: nil}
)

var escapes = []Function{
	{"ReturnsAddress", func() { ReturnsAddress() }},
	{"ReturnsNew", func() { ReturnsNew() }},
	{"ReturnsLiteral", func() { ReturnsLiteral(large) }},
	{"KeepsOnStack", func() { KeepsOnStack(large) }},
	{"StoresInGlobal", func() { StoresInGlobal(large) }},
	{"StoresInParameter", func() { StoresInParameter(&slot, large) }},
	{"StoresInField", func() { StoresInField(holder, large) }},
	{"StoresInSlice", func() { StoresInSlice(slotsP) }},
	{"StoresInMap", func() { StoresInMap(mapsP) }},
	{"AddressToCallee", func() { AddressToCallee(large) }},
	{"AddressKeptByCallee", func() { AddressKeptByCallee(large) }},
	{"TwoMovedVariables", func() { TwoMovedVariables() }},
	{"ListOfThree", func() { ListOfThree() }},
	{"LinkedLocally", func() { LinkedLocally() }},
	{"ReturnsParameter", func() { ReturnsParameter(slot) }},
	{"ReturnsByValue", func() { ReturnsByValue(large) }},
	{"IndirectAssignment", func() { IndirectAssignment() }},
	{"ReturnsInterfaceOfPointer", func() { ReturnsInterfaceOfPointer() }},
	{"ConditionalEscapeTaken", func() { ConditionalEscapeTaken(yes) }},
	{"NewInBranchNotTaken", func() { NewInBranchNotTaken(no) }},
	{"NewInBothBranches", func() { NewInBothBranches(yes) }},
	{"PanicsOnlyWithHeap", func() { PanicsOnlyWithHeap(large) }},
	{"ArrayByValue", func() { ArrayByValue() }},
	{"ArrayByAddress", func() { ArrayByAddress() }},
}
