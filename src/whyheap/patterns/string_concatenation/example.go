// Package example shows string-concatenation.
package example

import "strings"

//go:noinline
func BadReturned(first, last string) string {
	return first + " " + last // want pattern=string-concatenation
}

// Not a word from the compiler: each turn copies all that was gathered before.
//
//go:noinline
func BadLoop(parts []string) string {
	text := ""
	for _, part := range parts {
		text += part // want pattern=string-concatenation agreement=allocates-silently
	}
	return text
}

//go:noinline
func BadLocal(a, b string) int {
	joined := a + b // want pattern=string-concatenation agreement=allocates-silently
	return strings.Count(joined, "x")
}

// Numbers are no strings: what is on the heap is the box.
//
//go:noinline
func NearSum(a, b int) any {
	sum := a + b
	return sum // want pattern=interface-boxing
}

//go:noinline
func GoodJoin(parts []string) string {
	return strings.Join(parts, "") // want none
}

//go:noinline
func GoodConstant() string {
	return "a" + "b" // want none
}
