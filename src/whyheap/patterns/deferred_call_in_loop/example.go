// Package example shows deferred-call-in-loop.
package example

type counter struct{ open int }

//go:noinline
func (c *counter) done(n int) { c.open -= n }

// The compiler wraps the call and its arguments into a closure and prints no verdict about it.
//
//go:noinline
func BadCall(n int) {
	var c counter // want pattern=deferred-call-in-loop call=newobject
	for i := 0; i < n; i++ {
		c.open += i
		defer c.done(i) // want pattern=deferred-call-in-loop agreement=allocates-silently call=deferproc call=newobject until=1.27 // want pattern=deferred-call-in-loop agreement=allocates-silently call=deferproc call=mallocgc since=1.27
	}
}

//go:noinline
func BadLiteral(n int) int {
	total := 0
	for i := 0; i < n; i++ {
		total += i
		defer func() { // want pattern=deferred-call-in-loop call=deferproc call=newobject until=1.27 // want pattern=deferred-call-in-loop call=deferproc call=mallocgc since=1.27
			last += i
		}()
	}
	return total
}

var last int

// Captures nothing: static data, but each turn still needs a record of the deferred call.
//
//go:noinline
func NearNothing(n int) {
	for i := 0; i < n; i++ {
		defer func() { // want pattern=deferred-call-in-loop agreement=never-allocates call=deferproc
			last++
		}()
	}
}

// One record and closure, both on the stack.
//
//go:noinline
func GoodOnce(c *counter, n int) {
	c.open += n
	defer c.done(n) // want none
}

// The loop's body is a function of its own, so that its defer is outside of any loop.
//
//go:noinline
func GoodBody(c *counter, n int) {
	for i := 0; i < n; i++ {
		func() {
			c.open += i
			defer c.done(i) // want none
		}()
	}
}
