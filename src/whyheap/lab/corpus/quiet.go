package corpus

//go:noinline
func AddsNumbers(a, b int) int { return a + b }

//go:noinline
func SwapsNumbers(a, b *int) { *a, *b = *b, *a }

//go:noinline
func FillsArray(a *[4]int, n int) {
	for i := range a {
		a[i] = n
	}
}

//go:noinline
func WalksList(n *node) int {
	total := 0
	for ; n != nil; n = n.next {
		total += n.value
	}
	return total
}

//go:noinline
func CopiesStruct(into, from *big) { *into = *from }

//go:noinline
func ZeroesStruct(into *big) { *into = big{} }

//go:noinline
func SearchesBinary(s []int, wanted int) int {
	low, high := 0, len(s)
	for low < high {
		middle := (low + high) / 2
		if s[middle] < wanted {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

//go:noinline
func HashesBytes(b []byte) uint32 {
	hash := uint32(2166136261)
	for _, one := range b {
		hash = (hash ^ uint32(one)) * 16777619
	}
	return hash
}

//go:noinline
func MultipliesMatrix(a, b *[3][3]float64) (c [3][3]float64) {
	for i := range a {
		for j := range b {
			for k := range c {
				c[i][j] += a[i][k] * b[k][j]
			}
		}
	}
	return c
}

//go:noinline
func ComparesStructs(a, b point) bool { return a == b }

//go:noinline
func ReturnsConstantText() string { return "constant" }

//go:noinline
func ReturnsMany(n int) (int, string, error) { return n, "text", nil }

//go:noinline
func StoresPointer(into *node, next *node) { into.next = next }

//go:noinline
func DividesNumbers(a, b int) int { return a / b }

var (
	aMatrix = [3][3]float64{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}
	aList   = &node{&node{nil, 2}, 1}
	bigOne  big
	bigTwo  big
	swapA   = 1
	swapB   = 2
)

var quiet = []Function{
	{"AddsNumbers", func() { AddsNumbers(large, few) }},
	{"SwapsNumbers", func() { SwapsNumbers(&swapA, &swapB) }},
	{"FillsArray", func() { FillsArray(&anArry, few) }},
	{"WalksList", func() { WalksList(aList) }},
	{"CopiesStruct", func() { CopiesStruct(&bigOne, &bigTwo) }},
	{"ZeroesStruct", func() { ZeroesStruct(&bigOne) }},
	{"SearchesBinary", func() { SearchesBinary(sorted, few) }},
	{"HashesBytes", func() { HashesBytes(longBytes) }},
	{"MultipliesMatrix", func() { MultipliesMatrix(&aMatrix, &aMatrix) }},
	{"ComparesStructs", func() { ComparesStructs(aPoint, point{}) }},
	{"ReturnsConstantText", func() { ReturnsConstantText() }},
	{"ReturnsMany", func() { _, _, _ = ReturnsMany(large) }},
	{"StoresPointer", func() { StoresPointer(holder, aList) }},
	{"DividesNumbers", func() { DividesNumbers(large, few) }},
}
