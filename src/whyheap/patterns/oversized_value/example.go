// Package example shows oversized-value.
package example

type matrix [256][256]int64

// new, &T{...} and make may have 64 KiB.
//
//go:noinline
func BadMake() byte {
	return first(make([]byte, 1<<17)) // want pattern=oversized-value call=makeslice
}

// Explicit variables may have 128 KiB (10 MiB up to Go 1.23).
//
//go:noinline
func BadVariable() int64 {
	var m matrix // want pattern=oversized-value call=newobject since=1.24
	return total(&m)
}

//go:noinline
func total(m *matrix) int64 {
	sum := int64(0)
	for _, row := range m {
		sum += row[0]
	}
	return sum
}

//go:noinline
func BadHuge() byte {
	var block [11 << 20]byte // want pattern=oversized-value call=newobject
	return first(block[:])   // want none
}

//go:noinline
func first(block []byte) byte { return block[0] }

//go:noinline
func BadNew() int64 {
	return total(new(matrix)) // want pattern=oversized-value call=newobject
}

//go:noinline
func GoodSmall() byte {
	return first(make([]byte, 1<<16)) // want none
}

//go:noinline
func GoodVariable() byte {
	var block [1 << 17]byte
	return first(block[:]) // want none
}

// On the heap for another reason: it is returned.
//
//go:noinline
func NearReturned() []byte {
	return make([]byte, 1<<10) // want pattern=returned-address call=makeslice
}
