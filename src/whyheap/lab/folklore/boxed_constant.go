// Claim: interface{}(42) lives on the stack, interface{}(&x) always on the heap.
// Truth: The constant lies in the program's read-only data, neither on stack nor heap. The pointer costs nothing while
// the interface stays local.
// Probe: run
// Predicts: constant_on_stack == 1, the boxed constant lies in the stack of its goroutine
// Predicts: pointer_allocations == 1, a pointer in an interface is an allocation
// Shows: constant_allocations, allocations of boxing the constant
package main

import (
	"fmt"
	"testing"
	"unsafe"
)

var sink any

//go:noinline
func constant() any { return interface{}(42) }

//go:noinline
func pointer(n int) int {
	x := n
	box := interface{}(&x)
	return *box.(*int)
}

// onStack compares the word behind an interface with the address of a local: stacks here are far below a megabyte.
func onStack(box any) int {
	var local int
	here := uintptr(unsafe.Pointer(&local))
	there := uintptr((*[2]unsafe.Pointer)(unsafe.Pointer(&box))[1])
	if there > here-1<<20 && there < here+1<<20 {
		return 1
	}
	return 0
}

func main() {
	sum := 0
	fmt.Println("constant_on_stack", onStack(constant()))
	fmt.Println("constant_allocations", testing.AllocsPerRun(100, func() { sink = constant() }))
	fmt.Println("pointer_allocations", testing.AllocsPerRun(100, func() { sum += pointer(7) }))
}
