// Claim: A WebAssembly module leaks 0.0 % of its memory, because it is a sandbox.
// Truth: Linear memory only grows and has no end of its own: what a program in it keeps is kept as anywhere else, also
// when the program is written in Rust, which was not measured here. A cap that the host sets is what helps.
// Probe: wasm
// Predicts: memory_has_maximum == 1, the module's memory is bounded by the module itself
// Shows: initial_pages, pages of 64 KiB that the module asks for at its start
package main

var kept [][]byte

func main() {
	for i := 0; i < 1000; i++ {
		kept = append(kept, make([]byte, 1<<10))
	}
	println(len(kept))
}
