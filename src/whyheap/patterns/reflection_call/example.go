// Package example shows reflection-call.
package example

import (
	"encoding/json"
	"reflect"
	"slices"
	"sort"
)

type order struct {
	ID    int    `json:"id"`
	Owner string `json:"owner"`
}

// The slice's header is boxed, sort.Slice makes a swapper by reflection, and the closure hides the comparison.
//
//go:noinline
func BadSort(orders []order) {
	sort.Slice(orders, func(i, j int) bool { return orders[i].ID < orders[j].ID }) // want pattern=reflection-call call=convTslice
}

//go:noinline
func BadEqual(a, b []int) bool {
	return reflect.DeepEqual(a, b) // want pattern=reflection-call call=convTslice
}

//go:noinline
func BadMarshal(o order) ([]byte, error) {
	return json.Marshal(o) // want pattern=reflection-call call=convT
}

// run json.NewEncoder(io.Discard), order{ID: 7}
//
//go:noinline
func BadEncode(out *json.Encoder, o order) error {
	return out.Encode(o) // want pattern=reflection-call call=convT
}

//go:noinline
func GoodSort(orders []order) {
	slices.SortFunc(orders, func(a, b order) int { return a.ID - b.ID }) // want none
}

//go:noinline
func GoodEqual(a, b []int) bool {
	return slices.Equal(a, b) // want none
}

// A pointer is not boxed; what Marshal allocates itself is callee-allocation.
//
//go:noinline
func NearPointer(o *order) ([]byte, error) {
	return json.Marshal(o)
}

var last any

//go:noinline
func keep(v any) { last = v }

// Boxed for a function that does not reflect.
//
//go:noinline
func NearKept(o order) {
	keep(o) // want pattern=interface-boxing call=convT
}
