// Claim: In the assembly, a MOVQ of a register to (SP) next to a LEAQ marks a heap allocation.
// Truth: Neither instruction says anything about the heap: arguments that do not fit into registers are stored there.
// The signal is the call of an allocator, such as runtime.newobject.
// Probe: assembly
// Predicts: returned.moves_to_sp == 1, a function that allocates has the pair
// Predicts: boxed.moves_to_sp == 1, so has another one
// Predicts: manyArguments.moves_to_sp == 0, a function that does not allocate lacks it
// Shows: returned.allocator_calls, allocator calls in the function that allocates
// Shows: manyArguments.allocator_calls, allocator calls in the one that does not
package main

//go:noinline
func returned(n int) *int { return &n }

//go:noinline
func boxed(n int) any { return n }

//go:noinline
func many(a, b, c, d, e, f, g, h, i, j, k int, at *int) int {
	return a + b + c + d + e + f + g + h + i + j + k + *at
}

//go:noinline
func manyArguments(n int) int {
	local := n
	return many(n, n, n, n, n, n, n, n, n, n+1, n+2, &local)
}

func main() {
	println(*returned(1), boxed(1000).(int), manyArguments(1))
}
