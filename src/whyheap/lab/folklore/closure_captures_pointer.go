// Claim: A closure that escapes makes the pointer variables it captures escape, too.
// Truth: What the pointer points to and the closure itself are allocated. The pointer variable is copied into the
// closure, unless it is assigned again: no variable moves to the heap.
// Probe: verdicts
// Probe: run
// Predicts: allocations == 2, the object and the closure are allocated
// Predicts: moved == 1, the pointer variable is moved to the heap
// Shows: by_value, variables captured by value
package main

import (
	"fmt"
	"testing"
)

var kept func() int

//go:noinline
func counter() func() int {
	p := new(int)       // watch
	return func() int { // watch
		*p++
		return *p
	}
}

func main() {
	fmt.Println("allocations", testing.AllocsPerRun(100, func() { kept = counter() }))
}
