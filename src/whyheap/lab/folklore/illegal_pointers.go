// Claim: Go forbids taking the address of a string literal, pointer arithmetic with p++, and turning a number into a
// pointer.
// Truth: The compiler refuses all three. Only package unsafe gets around the last two.
// Probe: errors
// Predicts: errors == 3, each of the three lines is refused
//
//go:build illegal

package main

func main() {
	q := &"Bob"
	n := 1
	p := &n
	p++
	r := (*int)(42)
	_, _, _ = q, p, r
}
