// Claim: Returning the address of a local, storing it in a global, or capturing the local in a returned closure that
// changes it moves it to the heap.
// Truth: Each of the three costs an allocation. It is gone again when the callee is inlined and the result stays in the
// caller.
// Probe: run
// Predicts: returned == 1, an allocation when the address is returned
// Predicts: stored == 1, an allocation when it is stored in a global
// Predicts: captured == 2, two when a returned closure captures it: the variable and the closure
// Shows: inlined, allocations when the callee is inlined and its result stays local
package main

import (
	"fmt"
	"testing"
)

var (
	global *int
	kept   func() int
)

//go:noinline
func returned(n int) *int {
	local := n
	return &local
}

//go:noinline
func stored(n int) {
	local := n
	global = &local
}

//go:noinline
func captured(n int) func() int {
	local := n
	return func() int {
		local++
		return local
	}
}

func inlined(n int) *int {
	local := n
	return &local
}

func main() {
	sum := 0
	fmt.Println("returned", testing.AllocsPerRun(100, func() { global = returned(7) }))
	fmt.Println("stored", testing.AllocsPerRun(100, func() { stored(7) }))
	fmt.Println("captured", testing.AllocsPerRun(100, func() { kept = captured(7) }))
	fmt.Println("inlined", testing.AllocsPerRun(100, func() { sum += *inlined(7) }))
}
