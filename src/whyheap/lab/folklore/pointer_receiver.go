// Claim: Calling a method with a pointer receiver through an interface that holds a value makes the compiler take the
// value's address, and the value escapes.
// Truth: A value whose methods need a pointer does not implement the interface: assigning it does not compile, and a
// type assertion fails. A direct call takes the address of a variable, which costs nothing while it does not escape.
// Probe: run
// Probe: errors pointer_receiver_illegal.go
// Predicts: errors == 0, the assignment of the value to the interface compiles
// Predicts: asserted == 1, a value in an interface can be asserted to have the method
// Predicts: direct == 1, a direct call of the method on a local value allocates
package main

import (
	"fmt"
	"testing"
)

type counter struct{ n int }

//go:noinline
func (c *counter) Add() { c.n++ }

type adder interface{ Add() }

//go:noinline
func asserted(box any) int {
	if _, ok := box.(adder); ok {
		return 1
	}
	return 0
}

//go:noinline
func direct() int {
	var c counter
	c.Add()
	return c.n
}

func main() {
	sum := 0
	fmt.Println("asserted", asserted(counter{}))
	fmt.Println("direct", testing.AllocsPerRun(100, func() { sum += direct() }))
}
