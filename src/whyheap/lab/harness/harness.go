// Package harness is what the lab puts beside the examples to run and measure them: a table of their functions, and
// ordinary arguments for those that take some.
package harness

import "strconv"

// Function is one function of an example. Setup makes its arguments once and returns a call of it.
type Function struct {
	Name  string
	Setup func() func()
}

// Text is an ordinary string: longer than the 32 bytes that the compiler keeps on the stack for temporaries.
const Text = "the quick brown fox jumps over the lazy dog, and so on and so on"

// Reader never ends.
type Reader struct{}

// Read fills the buffer.
func (Reader) Read(buffer []byte) (int, error) {
	for i := range buffer {
		buffer[i] = 'x'
	}
	return len(buffer), nil
}

// Pointer returns the address of a copy.
func Pointer[T any](value T) *T { return &value }

// Many returns a slice of equal elements.
func Many[T any](value T, count int) []T {
	values := make([]T, count)
	for i := range values {
		values[i] = value
	}
	return values
}

// Texts returns different strings.
func Texts(count int) []string {
	values := make([]string, count)
	for i := range values {
		values[i] = Text + strconv.Itoa(i)
	}
	return values
}

// Count returns different numbers, none of which is small enough to be boxed for nothing.
func Count(count int) []int {
	values := make([]int, count)
	for i := range values {
		values[i] = 1000 + i
	}
	return values
}

// Drained returns a channel that somebody reads all the time.
func Drained[T any]() chan T {
	channel := make(chan T, 16)
	go func() {
		for range channel {
		}
	}()
	return channel
}

// Fed returns a channel that somebody sends zero values to all the time.
func Fed[T any]() chan T {
	channel := make(chan T, 16)
	go func() {
		var value T
		for {
			channel <- value
		}
	}()
	return channel
}
