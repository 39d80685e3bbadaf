// Package example shows interface-boxing.
package example

type point struct{ x, y int }

func (p point) Error() string { return "point" }

var last any

//go:noinline
func keep(v any) { last = v }

//go:noinline
func BadNumber(n int) any {
	return n // want pattern=interface-boxing
}

//go:noinline
func BadStruct(x, y int) error {
	return point{x, y} // want pattern=interface-boxing
}

//go:noinline
func BadPassed(s string) {
	keep(s) // want pattern=interface-boxing
}

// Both the array and the slice header that points to it.
//
//go:noinline
func BadSlice() any {
	return []int{1, 2, 3} // want pattern=interface-boxing pattern=contained-value
}

//go:noinline
func GoodConstant() any {
	return 7 // want pattern=interface-boxing agreement=never-allocates
}

//go:noinline
func GoodLiteral() {
	keep("ready") // want pattern=interface-boxing agreement=never-allocates
}

// A pointer fits into the interface: nothing is boxed, the struct itself is what escapes.
//
//go:noinline
func NearPointer(x, y int) any {
	return &point{x, y} // want pattern=returned-address
}

//go:noinline
func GoodPointer(p *point) any {
	return p // want none
}

//go:noinline
func GoodGeneric[T any](values []T) int {
	return len(values) // want none
}
