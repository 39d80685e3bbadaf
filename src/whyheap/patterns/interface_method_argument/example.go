// Package example shows interface-method-argument.
package example

import "io"

type state struct{ pos, end int }

type store interface {
	fill(s *state)
	total() int
}

type memory struct{ n int }

func (m *memory) fill(s *state) { s.end = m.n }
func (m *memory) total() int    { return m.n }

//go:noinline
func BadBuffer(r io.Reader) int {
	var buffer [64]byte // want pattern=interface-method-argument call=newobject until=1.27 // want pattern=interface-method-argument call=mallocgc since=1.27
	n, _ := r.Read(buffer[:])
	return n
}

// run &memory{7}
//
//go:noinline
func BadOut(s store) int {
	var at state // want pattern=interface-method-argument
	s.fill(&at)
	return at.end
}

// run &struct{ store store }{&memory{7}}
//
//go:noinline
func BadField(holder *struct{ store store }) int {
	at := &state{} // want pattern=interface-method-argument
	holder.store.fill(at)
	return at.end
}

//go:noinline
func pick() store { return nil }

// run never pick returns nil
//
//go:noinline
func BadResult() {
	pick().fill(&state{}) // want pattern=interface-method-argument
}

// The receiver behind the interface escapes as well.
//
// run 7, &memory{8}
//
//go:noinline
func BadReceiver(n int, other store) int {
	s := other
	if n > 0 {
		s = &memory{n} // want pattern=interface-method-argument
	}
	return s.total()
}

type hooks struct{ done func(*state) }

// A func field is no method.
//
// run &hooks{done: func(*state) {}}
//
//go:noinline
func NearField(h *hooks) {
	h.done(&state{}) // want pattern=indirect-call-argument
}

//go:noinline
func GoodStatic(m *memory) int {
	var at state // want none
	m.fill(&at)
	return at.end
}

// The compiler sees which type s has: "devirtualizing s.fill to *memory".
//
//go:noinline
func GoodDevirtualized(n int) int {
	var s store = &memory{n}
	var at state // want none
	s.fill(&at)
	return at.end
}
