// Package example shows construction-per-call.
package example

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

//go:noinline
func BadLoop(words []string) int {
	n := 0
	for _, word := range words {
		if regexp.MustCompile("^a+$").MatchString(word) { // want pattern=construction-per-call callee=regexp.MustCompile
			n++
		}
	}
	return n
}

func BadHandler(w http.ResponseWriter, r *http.Request) {
	matcher, err := regexp.Compile("^/item/[0-9]+$") // want pattern=construction-per-call callee=regexp.Compile
	if err != nil || !matcher.MatchString(r.URL.Path) {
		w.WriteHeader(http.StatusNotFound)
	}
}

//go:noinline
func BadTimer(n int) int {
	stopped := 0
	for i := 0; i < n; i++ {
		timer := time.NewTimer(time.Minute) // want pattern=construction-per-call callee=time.NewTimer
		if timer.Stop() {                   // want pattern=interface-boxing agreement=never-allocates
			stopped++
		}
	}
	return stopped
}

// Made once for the whole loop: the call still allocates, and nothing says that it runs often.
//
//go:noinline
func NearOnce(words []string) int {
	matcher := regexp.MustCompile("^a+$") // want pattern=callee-allocation callee=regexp.MustCompile
	n := 0
	for _, word := range words {
		if matcher.MatchString(word) { // want none
			n++
		}
	}
	return n
}

// In a loop, but no construction that could be hoisted.
//
//go:noinline
func NearRepeat(words []string) int {
	n := 0
	for _, word := range words {
		n += len(strings.Repeat(word, 10)) // want pattern=callee-allocation callee=strings.Repeat
	}
	return n
}

var matcher = regexp.MustCompile("^a+$")

//go:noinline
func GoodHoisted(words []string) int {
	n := 0
	for _, word := range words {
		if matcher.MatchString(word) { // want none
			n++
		}
	}
	return n
}
