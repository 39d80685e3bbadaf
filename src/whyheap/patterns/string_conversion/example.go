// Package example shows string-conversion.
package example

import "bytes"

//go:noinline
func BadString(b []byte) string {
	return string(b) // want pattern=string-conversion
}

//go:noinline
func BadBytes(s string) []byte {
	return []byte(s) // want pattern=string-conversion
}

//go:noinline
func BadRunes(s string) []rune {
	return []rune(s) // want pattern=string-conversion
}

//go:noinline
func take(s string) int { return len(s) }

// "does not escape" holds up to 32 bytes only.
//
//go:noinline
func BadTemporary(b []byte) int {
	return take(string(b)) // want pattern=string-conversion agreement=allocates-silently
}

// Write takes the bytes as they are.
//
// run &bytes.Buffer{}, []byte("a text that is longer than thirty-two bytes")
//
//go:noinline
func BadWritten(out *bytes.Buffer, b []byte) {
	out.WriteString(string(b)) // want pattern=string-conversion agreement=allocates-silently
}

// A look-up by string(b) copies nothing, a variable that two of them use does.
//
//go:noinline
func BadKey(names, others map[string]int, b []byte) int {
	key := string(b) // want pattern=string-conversion agreement=allocates-silently
	return names[key] + others[key]
}

// Two allocations: the copy, and the string header in the box.
//
//go:noinline
func BadBoxed(b []byte) any {
	return string(b) // want pattern=string-conversion pattern=interface-boxing
}

//go:noinline
func GoodLookup(names map[string]int, b []byte) int {
	return names[string(b)] // want none
}

//go:noinline
func GoodCompare(a, b []byte) bool {
	return string(a) == string(b) // want none
}
