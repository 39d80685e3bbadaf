// Package example shows global-store.
package example

import "sync/atomic"

type config struct{ name string }

var (
	current *config
	value   config
	shared  struct{ active *config }
)

//go:noinline
func BadPointer(name string) {
	current = &config{name} // want pattern=global-store call=newobject until=1.27 // want pattern=global-store call=mallocgc since=1.27
}

//go:noinline
func BadParameter(c config) { // want pattern=global-store
	current = &c
}

//go:noinline
func BadField(name string) {
	shared.active = &config{name} // want pattern=global-store
}

var (
	published atomic.Pointer[config]
	untyped   atomic.Value
)

//go:noinline
func BadAtomic(name string) {
	published.Store(&config{name}) // want pattern=global-store
}

//go:noinline
func BadAtomicValue(name string) {
	untyped.Store(&config{name}) // want pattern=global-store
}

type holder struct{ active *config }

// Through a pointer: it is not known what h points to, so the compiler takes the heap.
//
//go:noinline
func NearPointer(h *holder, name string) {
	h.active = &config{name} // want pattern=pointer-store
}

//go:noinline
func GoodValue(name string) {
	value = config{name} // want none
}

//go:noinline
func GoodLocal(name string) int {
	c := &config{name} // want none
	return len(c.name)
}
