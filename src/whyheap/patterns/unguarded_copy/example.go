// Package example shows unguarded-copy.
package example

type frame struct{ header [16]byte }

// An array has no room behind its length: copy(f.header[:], src) fills as much, and leaves out what does not fit.
//
// run &frame{}, []byte("head")
//
//go:noinline
func BadArray(f *frame, src []byte) {
	copy(f.header[:len(src)], src) // want pattern=unguarded-copy
}

// run []byte("head")
//
//go:noinline
func BadMade(src []byte) int {
	buf := make([]byte, 16)
	copy(buf[:len(src)], src) // want pattern=unguarded-copy
	return int(buf[0])
}

// run make([]byte, 4), "header"
//
//go:noinline
func BadText(dst []byte, text string) {
	copy(dst, text[:len(dst)]) // want pattern=unguarded-copy
}

// The slice may have room behind its length, which this fills and copy(dst, src) would not.
//
// run make([]byte, 0, 8), []byte("head")
//
//go:noinline
func BadSlice(dst, src []byte) {
	copy(dst[:len(src)], src) // want pattern=unguarded-copy
}

// Who calls is told that all was copied.
//
// run &frame{}, []byte("head")
//
//go:noinline
func BadCounted(f *frame, src []byte) int {
	copy(f.header[:len(src)], src) // want pattern=unguarded-copy
	return len(src)
}

// The compiler can prove that it fits: it keeps no check.
//
//go:noinline
func NearGuarded(f *frame, src []byte) bool {
	if len(src) > len(f.header) {
		return false
	}
	copy(f.header[:len(src)], src) // want none
	return true
}

//go:noinline
func GoodArray(f *frame, src []byte) {
	copy(f.header[:], src) // want none
}

//go:noinline
func GoodSlice(dst, src []byte) int {
	return copy(dst, src) // want none
}
