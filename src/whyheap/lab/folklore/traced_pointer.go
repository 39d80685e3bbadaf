// Claim: A debugger can trace a pointer over its whole life.
// Truth: No tool does. A debugger shows frames and addresses while the program is stopped, and an address does not stay:
// when a goroutine's stack grows, all that lies on it moves.
// Probe: run
// Predicts: moved == 0, a variable stays at the address that was seen first
package main

import (
	"fmt"
	"unsafe"
)

//go:noinline
func deep(n int) int {
	var room [128]int
	room[n%128] = n
	if n == 0 {
		return room[0]
	}
	return deep(n-1) + room[n%128]
}

func main() {
	done := make(chan int)
	go func() {
		var local int
		before := uintptr(unsafe.Pointer(&local))
		deep(1000)
		after := uintptr(unsafe.Pointer(&local))
		if before == after {
			done <- 0
			return
		}
		done <- 1
	}()
	fmt.Println("moved", <-done)
}
