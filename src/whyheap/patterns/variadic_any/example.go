// Package example shows variadic-any.
package example

import (
	"fmt"
	"log"
	"strconv"
)

type user struct{ name string }

var kept []any

//go:noinline
func keepAll(values ...any) { kept = values }

//go:noinline
func BadSprintf(n int) string {
	return fmt.Sprintf("%d", n) // want pattern=variadic-any
}

//go:noinline
func BadLog(id int, name string) {
	log.Printf("user %d is %s", id, name) // want pattern=variadic-any
}

//go:noinline
func BadKept(n int) {
	keepAll(n, "x") // want pattern=variadic-any
}

//go:noinline
func BadPointer(name string) string {
	u := user{name}              // want pattern=variadic-any
	return fmt.Sprintf("%v", &u) // want none
}

//go:noinline
func GoodConstant() {
	log.Println("ready") // want pattern=variadic-any agreement=never-allocates
}

//go:noinline
func GoodItoa(n int, buf []byte) []byte {
	return strconv.AppendInt(buf, int64(n), 10) // want none
}

//go:noinline
func sum(values ...int) int {
	total := 0
	for _, value := range values {
		total += value
	}
	return total
}

//go:noinline
func GoodTyped(a, b int) int {
	return sum(a, b) // want none
}
