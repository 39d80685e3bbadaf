// Package example shows variable-size-make.
package example

// Local, but its size is known only at run time.
//
//go:noinline
func BadLocal(n int) int {
	seen := make([]bool, n) // want pattern=variable-size-make call=makeslice until=1.25 // want pattern=variable-size-make agreement=allocates-silently call=makeslice since=1.25
	return fill(seen)
}

//go:noinline
func fill(seen []bool) int {
	for i := range seen {
		seen[i] = i%2 == 0
	}
	return len(seen)
}

//go:noinline
func BadBuffer(text string) int {
	buf := make([]byte, len(text)+16) // want pattern=variable-size-make call=makeslicecopy until=1.25 // want pattern=variable-size-make agreement=allocates-silently call=makeslice since=1.25
	copy(buf, text)
	return count(buf)
}

//go:noinline
func count(buf []byte) int {
	n := 0
	for _, b := range buf {
		if b == 'x' {
			n++
		}
	}
	return n
}

// The elements have no size, so there is nothing to allocate, whatever n is.
//
//go:noinline
func NearEmpty(n int) int {
	seen := make([]struct{}, n) // want pattern=variable-size-make agreement=never-allocates call=makeslice
	return width(seen)
}

//go:noinline
func width(seen []struct{}) int { return cap(seen) }

//go:noinline
func GoodConstant() int {
	return fill(make([]bool, 64)) // want none
}

// The caller's buffer.
//
//go:noinline
func GoodReused(buf []byte, text string) int {
	return copy(buf, text) // want none
}
