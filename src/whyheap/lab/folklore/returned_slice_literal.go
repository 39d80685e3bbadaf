// Claim: A returned slice literal escapes because code outside might modify it.
// Truth: It escapes because it is returned, so its array must outlive the call. A function that modifies a slice which
// it does not keep leaves the array on its caller's stack.
// Probe: run
// Predicts: returned == 1, the returned literal is allocated
// Predicts: modified == 1, so is one that another function modifies and does not keep
package main

import (
	"fmt"
	"testing"
)

var kept []int

//go:noinline
func returned(n int) []int { return []int{n, n, n} }

//go:noinline
func modify(values []int) { values[0]++ }

//go:noinline
func modified(n int) int {
	values := []int{n, n, n}
	modify(values)
	return values[0]
}

func main() {
	sum := 0
	fmt.Println("returned", testing.AllocsPerRun(100, func() { kept = returned(7) }))
	fmt.Println("modified", testing.AllocsPerRun(100, func() { sum += modified(7) }))
}
