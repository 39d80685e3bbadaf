// Package example shows callee-allocation.
package example

import (
	"regexp"
	"strings"
)

// Nothing of this line is on the heap; the profile's bytes come from the call.
//
//go:noinline
func BadCompiled(text string) bool {
	matcher := regexp.MustCompile("^a+$") // want pattern=callee-allocation callee=regexp.MustCompile
	return matcher.MatchString(text)
}

//go:noinline
func BadRepeated(text string) int {
	return len(strings.Repeat(text, 10)) // want pattern=callee-allocation callee=strings.Repeat
}

var compiled = regexp.MustCompile("^a+$")

//go:noinline
func GoodHoisted(text string) bool {
	return compiled.MatchString(text) // want none
}
