// Command deep_recursion walks a list that is a ring, on a stack of 16 MiB at most.
package main

import "runtime/debug"

type node struct{ next *node }

func (n *node) depth() int {
	if n == nil {
		return 0
	}
	return 1 + n.next.depth()
}

func main() {
	debug.SetMaxStack(16 << 20)
	ring := &node{}
	ring.next = ring
	println(ring.depth())
}
