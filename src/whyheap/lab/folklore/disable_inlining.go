// Claim: Compile with -gcflags="-m -l" to see clearly what escapes in your program.
// Truth: -l turns inlining off, which the real build does not do. It hides what inlining saves, and reports values on
// the heap that the real build keeps on the stack. Leave it out.
// Probe: verdicts
// Probe: run
// Predicts: heap_without_inlining == heap, -l reports as many values on the heap as the real build has
// Predicts: heap_without_inlining == allocations, and as many as are allocated
package main

import (
	"fmt"
	"testing"
)

type filler interface{ fill(buffer []byte) int }

type zeros struct{}

func (zeros) fill(buffer []byte) int {
	clear(buffer)
	return len(buffer)
}

func newFiller() filler { return zeros{} }

//go:noinline
func filled() int {
	var buffer [64]byte // watch
	return newFiller().fill(buffer[:])
}

func main() {
	sum := 0
	fmt.Println("allocations", testing.AllocsPerRun(100, func() { sum += filled() }))
}
