// Package example shows variadic-slice.
package example

import "strings"

type option func(*settings)

type settings struct{ names []string }

var last *settings

//go:noinline
func keep(s *settings, names ...string) {
	s.names = names
}

// The callee keeps the slice that the compiler makes of the arguments.
//
//go:noinline
func BadKept(s *settings, first, second string) {
	keep(s, first, second) // want pattern=variadic-slice call=newobject until=1.27 // want pattern=variadic-slice call=mallocgc since=1.27
}

//go:noinline
func list(names ...string) []string { return names }

//go:noinline
func BadReturned(name string) []string {
	return list(name, "x") // want pattern=variadic-slice call=newobject until=1.27 // want pattern=variadic-slice call=mallocgc since=1.27
}

// The caller's slice is passed on: no new one is made.
//
//go:noinline
func GoodPassed(s *settings, names []string) {
	keep(s, names...) // want none
}

//go:noinline
func longest(names ...string) int {
	most := 0
	for _, name := range names {
		most = max(most, len(name))
	}
	return most
}

// The callee keeps nothing, so the slice is on the stack.
//
//go:noinline
func GoodLocal(a, b string) int {
	return longest(a, b) // want none
}

// No arguments, no slice.
//
//go:noinline
func GoodNone(s *settings) {
	keep(s) // want none
}

//go:noinline
func NearLiteral(a, b string) *strings.Reader {
	return strings.NewReader(strings.Join([]string{a, b}, ",")) // want pattern=returned-address
}
