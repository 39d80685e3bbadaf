// Package example shows returned-address.
package example

import "errors"

type row struct {
	id   int
	name string
}

//go:noinline
func BadVariable(id int) *row {
	r := row{id: id} // want pattern=returned-address
	return &r
}

//go:noinline
func BadLiteral(id int) *row {
	return &row{id: id} // want pattern=returned-address
}

//go:noinline
func BadNew() *row {
	return new(row) // want pattern=returned-address
}

//go:noinline
func BadNamed(id int) (result *row) {
	result = &row{id: id} // want pattern=returned-address
	return
}

//go:noinline
func BadSlice(n int) []int {
	return make([]int, n) // want pattern=returned-address since=1.25 // want pattern=variable-size-make until=1.25
}

// An error has a pattern of its own.
//
//go:noinline
func NearError() error {
	return errors.New("empty") // want pattern=error-per-call
}

//go:noinline
func GoodValue(id int) row {
	return row{id: id} // want none
}

//go:noinline
func GoodFill(r *row, id int) {
	r.id = id // want none
}

func inlined(id int) *row {
	return &row{id: id} // want pattern=returned-address
}

// The constructor is inlined here, and its object stays on this function's stack.
//
//go:noinline
func GoodInlined(id int) int {
	return inlined(id).id // want none
}

//go:noinline
func GoodEmpty() []int {
	return []int{} // want pattern=returned-address agreement=never-allocates
}
