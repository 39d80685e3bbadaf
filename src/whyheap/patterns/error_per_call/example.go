// Package example shows error-per-call.
package example

import (
	"errors"
	"fmt"
)

var errTooMany = errors.New("too many")

var last error

//go:noinline
func BadNew(n int) error {
	if n > 100 {
		return errors.New("too many") // want pattern=error-per-call
	}
	return nil
}

//go:noinline
func BadErrorf(n int) error {
	if n > 100 {
		return fmt.Errorf("too many") // want pattern=error-per-call since=1.26
	}
	return nil
}

//go:noinline
func BadKept(n int) {
	if n > 100 {
		last = errors.New("too many") // want pattern=error-per-call
	}
}

//go:noinline
func BadText(name string) error {
	return errors.New("no such user: " + name) // want pattern=error-per-call pattern=string-concatenation call=concatstring2
}

//go:noinline
func BadArguments(n int) error {
	return fmt.Errorf("too many: %d", n) // want pattern=variadic-any call=convT64 until=1.26 // want pattern=error-per-call pattern=variadic-any call=convT64 since=1.26
}

//go:noinline
func BadWrapped(err error) error {
	return fmt.Errorf("read: %w", err) // want pattern=error-per-call since=1.26
}

//go:noinline
func GoodSentinel(n int) error {
	if n > 100 {
		return errTooMany // want none
	}
	return nil
}

type limitError struct{ limit int }

func (e *limitError) Error() string { return "limit" }

// An error type of one's own is a value like any other.
//
//go:noinline
func NearType(limit int) error {
	return &limitError{limit} // want pattern=returned-address call=newobject until=1.27 // want pattern=returned-address call=mallocgc since=1.27
}
