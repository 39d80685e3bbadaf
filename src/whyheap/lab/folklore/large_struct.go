// Claim: Passing a pointer is always cheaper than passing a large struct by value.
// Truth: Copying a kilobyte takes tens of nanoseconds and no allocation. The pointer is dearer by far when it makes the
// struct escape: an allocation, clearing it, and work for the collector.
// Probe: run
// Predicts: pointer_ns < value_ns, the pointer is faster, also when it escapes
// Predicts: pointer_allocations <= value_allocations, and allocates no more
package main

import (
	"fmt"
	"testing"
	"time"
)

type large struct{ data [128]int }

var kept *large

//go:noinline
func byValue(l large) int { return l.data[7] }

//go:noinline
func byPointer(l *large) int {
	kept = l
	return l.data[7]
}

//go:noinline
func value(n int) int {
	var l large
	l.data[7] = n
	return byValue(l)
}

//go:noinline
func pointer(n int) int {
	var l large
	l.data[7] = n
	return byPointer(&l)
}

func nanoseconds(f func(int) int) float64 {
	const runs = 20_000
	least := time.Hour
	for round := 0; round < 5; round++ {
		started := time.Now()
		for i := 0; i < runs; i++ {
			f(i)
		}
		least = min(least, time.Since(started))
	}
	return float64(least.Nanoseconds()) / runs
}

func main() {
	fmt.Println("value_ns", nanoseconds(value))
	fmt.Println("pointer_ns", nanoseconds(pointer))
	fmt.Println("value_allocations", testing.AllocsPerRun(100, func() { value(7) }))
	fmt.Println("pointer_allocations", testing.AllocsPerRun(100, func() { pointer(7) }))
}
