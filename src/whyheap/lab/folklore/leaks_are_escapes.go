// Claim: Goroutine leaks and heap escapes are one and the same problem.
// Truth: An escape says where a value is placed, a leak says that it stays reachable. A program may allocate on each call
// and keep nothing, or leak goroutines whose stacks hold the memory. Memory runs out by what is kept, and by the room
// that the collector needs.
// Probe: run
// Predicts: escaped_kept_bytes > 65536, 10000 values that escape one after the other stay in memory
// Predicts: leaked_stack_bytes < 65536, 100 leaked goroutines hold nothing but what escaped
// Shows: escaped_allocations, allocations of the function that escapes
package main

import (
	"fmt"
	"runtime"
	"testing"
)

type row struct{ data [64]int }

var last *row

//go:noinline
func escapes(n int) { last = &row{data: [64]int{n}} }

//go:noinline
func wait(never chan int) int {
	var local [512]int
	local[0] = <-never
	return local[0] + local[511]
}

func memory() runtime.MemStats {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats
}

func main() {
	before := memory()
	for i := 0; i < 10_000; i++ {
		escapes(i)
	}
	after := memory()
	fmt.Println("escaped_kept_bytes", int64(after.HeapAlloc)-int64(before.HeapAlloc))
	fmt.Println("escaped_allocations", testing.AllocsPerRun(100, func() { escapes(7) }))
	never := make(chan int)
	started := make(chan bool)
	for i := 0; i < 100; i++ {
		go func() {
			started <- true
			wait(never)
		}()
		<-started
	}
	for i := 0; i < 1000; i++ {
		runtime.Gosched()
	}
	leaked := memory()
	fmt.Println("leaked_stack_bytes", int64(leaked.StackInuse)-int64(after.StackInuse))
}
