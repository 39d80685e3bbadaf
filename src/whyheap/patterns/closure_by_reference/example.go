// Package example shows closure-by-reference.
package example

//go:noinline
func BadCounter() func() int {
	n := 0              // want pattern=closure-by-reference
	return func() int { // want pattern=escaping-closure
		n++
		return n
	}
}

//go:noinline
func BadReassigned(name string, later *func() string) {
	label := name                           // want pattern=closure-by-reference
	*later = func() string { return label } // want pattern=escaping-closure
	label = "none"
}

// Too large to be copied into the closure: more than 128 bytes.
//
//go:noinline
func BadLarge(large [17]int) func() int { // want pattern=closure-by-reference
	return func() int { return large[3] } // want pattern=escaping-closure
}

// A pointer to it exists elsewhere, so a copy would not be the same.
//
//go:noinline
func BadAddressed(n int, read func(*int)) func() int { // want pattern=closure-by-reference
	p := &n
	read(nil)
	*p = 2
	return func() int { return n } // want pattern=escaping-closure
}

// Assigned before the capture only: the closure takes a copy.
//
//go:noinline
func GoodCopied(name string, fallback bool) func() string {
	label := name // want none
	if fallback {
		label = "none"
	}
	return func() string { return label } // want pattern=escaping-closure
}

//go:noinline
func GoodLocalClosure(xs []int) int {
	sum := 0                        // want none
	add := func(x int) { sum += x } // want none
	for _, x := range xs {
		add(x)
	}
	return sum
}
