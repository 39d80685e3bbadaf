// Package example shows escaping-closure.
package example

type handler func(int) int

var handlers []handler

//go:noinline
func keep(h handler) { handlers[0] = h }

//go:noinline
func BadReturned(n int) func(int) int {
	return func(x int) int { return x + n } // want pattern=escaping-closure
}

// run-once handlers = make([]handler, 1)
//
//go:noinline
func BadPassed(n int) {
	keep(func(x int) int { return x * n }) // want pattern=escaping-closure
}

// A literal that captures nothing prints the same words and is static data; only the source tells.
//
// run-once handlers = make([]handler, 1)
//
//go:noinline
func GoodCapturesNothing() {
	keep(func(x int) int { return x * x }) // want pattern=escaping-closure agreement=never-allocates
}

func double(x int) int { return x * 2 }

// run-once handlers = make([]handler, 1)
//
//go:noinline
func GoodNamed() {
	keep(double) // want none
}

//go:noinline
func apply(xs []int, f func(int) int) {
	for i, x := range xs {
		xs[i] = f(x)
	}
}

//go:noinline
func GoodNotKept(xs []int, n int) {
	apply(xs, func(x int) int { return x + n }) // want none
}
