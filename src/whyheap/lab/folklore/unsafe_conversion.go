// Claim: eBPF can intercept conversions to unsafe.Pointer.
// Truth: A conversion is no instruction and no call, so there is nothing to attach to: the function that converts is the
// same code as the one that does not. What can be seen are failed bounds checks, faults, allocator calls, and the calls
// that a -d=checkptr build makes.
// Probe: assembly
// Predicts: converts.instructions > returns.instructions, a conversion adds an instruction
// Predicts: converts.calls > 0, or a call
package main

import "unsafe"

//go:noinline
func returns(p *int) *int { return p }

//go:noinline
func converts(p *int) unsafe.Pointer { return unsafe.Pointer(p) }

func main() {
	n := 1
	println(*returns(&n), *(*int)(converts(&n)))
}
