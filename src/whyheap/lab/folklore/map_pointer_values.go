// Claim: A map whose values hold a pointer keeps keys and entries on the heap; other maps store them inline.
// Truth: Both kinds keep their entries in the same buckets or groups. A pointer field decides whether the collector has
// to scan them. Since Go 1.24 they take as many allocations; before, it was the map without pointers that took more, as
// its overflow buckets were listed apart (runtime/map.go, hmap.extra). Keys and values above 128 bytes are stored behind
// a pointer.
// Probe: run
// Predicts: pointer_allocations > plain_allocations, more allocations with a pointer field in the value
// Predicts: bytes_ratio > 1.01, and more bytes, by more than a hundredth
// Shows: plain_allocations, allocations of 1000 inserts without a pointer
package main

import (
	"fmt"
	"runtime"
	"testing"
)

type plain struct{ a, b int }

type pointing struct {
	a int
	b *int
}

//go:noinline
func fillPlain() int {
	m := map[int]plain{}
	for i := 0; i < 1000; i++ {
		m[i] = plain{a: i}
	}
	return len(m)
}

//go:noinline
func fillPointing() int {
	m := map[int]pointing{}
	for i := 0; i < 1000; i++ {
		m[i] = pointing{a: i}
	}
	return len(m)
}

func bytesOf(f func() int) uint64 {
	least := ^uint64(0) // the runtime's own allocations disturb now and then
	for i := 0; i < 20; i++ {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

func main() {
	fmt.Println("plain_allocations", testing.AllocsPerRun(100, func() { fillPlain() }))
	fmt.Println("pointer_allocations", testing.AllocsPerRun(100, func() { fillPointing() }))
	fmt.Println("bytes_ratio", float64(bytesOf(fillPointing))/float64(bytesOf(fillPlain)))
}
