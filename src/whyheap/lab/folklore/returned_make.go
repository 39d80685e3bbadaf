// Claim: make([]int, 0, 100) does not escape even when it is returned, because its capacity is known.
// Truth: It is one allocation, as a slice without capacity that grows to 100 is several. The win is fewer growths and
// copies; a fixed gain in time cannot be promised.
// Probe: run
// Predicts: preallocated == 0, the returned slice needs no allocation
// Shows: grown, allocations when the slice grows by append to the same length
package main

import (
	"fmt"
	"testing"
)

var kept []int

//go:noinline
func preallocated() []int {
	values := make([]int, 0, 100)
	for i := 0; i < 100; i++ {
		values = append(values, i)
	}
	return values
}

//go:noinline
func grown() []int {
	var values []int
	for i := 0; i < 100; i++ {
		values = append(values, i)
	}
	return values
}

func main() {
	fmt.Println("preallocated", testing.AllocsPerRun(100, func() { kept = preallocated() }))
	fmt.Println("grown", testing.AllocsPerRun(100, func() { kept = grown() }))
}
