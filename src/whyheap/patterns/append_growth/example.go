// Package example shows append-growth.
package example

var kept []int

// Since Go 1.26 the first array is on the stack, and what still lies there at the return is moved to the heap.
//
//go:noinline
func BadGrow(ids []int) []int {
	var out []int
	for _, id := range ids {
		out = append(out, id*2) // want pattern=append-growth call=growslice
	}
	return out // want pattern=append-growth agreement=may-allocate call=moveSlice since=1.26
}

//go:noinline
func BadGrowGlobal(id int) {
	kept = append(kept, id) // want pattern=append-growth call=growslice
}

// The slice stays local, and the compiler says so; above 32 bytes it is on the heap all the same.
//
//go:noinline
func BadGrowLocal(n int) int {
	var out []int
	for i := 0; i < n; i++ {
		out = append(out, i) // want pattern=append-growth agreement=allocates-silently
	}
	return len(out)
}

// The loop allocates nothing. Known imprecision: the compiler prints the same words for an append that never grows.
//
//go:noinline
func GoodPresized(ids []int) []int {
	out := make([]int, 0, len(ids)) // want pattern=returned-address since=1.25 // want pattern=variable-size-make until=1.25
	for _, id := range ids {
		out = append(out, id*2) // want pattern=append-growth call=growslice
	}
	return out
}

//go:noinline
func GoodFill(ids, out []int) {
	for i, id := range ids {
		out[i] = id * 2 // want none
	}
}

// A copy grows nothing: one array of the right length.
//
//go:noinline
func NearCopy(ids []int) []int {
	return append([]int(nil), ids...) // want pattern=append-growth call=growslice
}
