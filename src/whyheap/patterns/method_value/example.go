// Package example shows method-value.
package example

import (
	"fmt"
	"sync"
)

type counter struct {
	hits  int
	limit int
	name  string
}

func (c *counter) add(n int) { c.hits += n }

func (c counter) full() bool { return c.hits > c.limit }

var hook func(int)

//go:noinline
func each(ids []int, visit func(int)) {
	hook = visit
	for _, id := range ids {
		visit(id)
	}
}

// The bound method is a closure that holds c.
//
//go:noinline
func BadPassed(c *counter, ids []int) {
	each(ids, c.add) // want pattern=method-value call=newobject until=1.27 // want pattern=method-value call=mallocgc since=1.27
}

//go:noinline
func BadReturned(c *counter) func(int) {
	return c.add // want pattern=method-value call=newobject until=1.27 // want pattern=method-value call=mallocgc since=1.27
}

// A value receiver is copied into the closure.
//
//go:noinline
func BadCopied(c counter) func() bool {
	return c.full // want pattern=method-value call=newobject until=1.27 // want pattern=method-value call=mallocgc since=1.27
}

// The receiver goes where the bound method goes.
//
//go:noinline
func BadReceiver(limit int) func(int) {
	c := &counter{limit: limit} // want pattern=method-value call=newobject until=1.27 // want pattern=method-value call=mallocgc since=1.27
	return c.add                // want pattern=method-value call=newobject until=1.27 // want pattern=method-value call=mallocgc since=1.27
}

// A type of another package.
//
//go:noinline
func BadForeign(wg *sync.WaitGroup) func() {
	return wg.Done // want pattern=method-value call=newobject until=1.27 // want pattern=method-value call=mallocgc since=1.27
}

// A field prints like a method: what is on the heap here is its box.
//
//go:noinline
func NearField(c *counter) string {
	return fmt.Sprint(c.name) // want pattern=variadic-any call=convTstring
}

//go:noinline
func NearBoxed(c *counter) any {
	return c.hits // want pattern=interface-boxing call=convT64
}

//go:noinline
func GoodCalled(c *counter, ids []int) {
	for _, id := range ids {
		c.add(id) // want none
	}
}

// A method expression binds nothing: the receiver is an argument.
//
//go:noinline
func GoodExpression() func(*counter, int) {
	return (*counter).add // want none
}

// The bound method stays on the stack where its callee does not keep it.
//
//go:noinline
func GoodLocal(c *counter, ids []int) {
	visit(ids, c.add) // want none
}

//go:noinline
func visit(ids []int, f func(int)) {
	for _, id := range ids {
		f(id)
	}
}
