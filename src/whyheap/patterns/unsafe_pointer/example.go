// Package example shows unsafe-pointer.
package example

import "unsafe"

var sink uintptr

//go:noinline
//go:uintptrescapes
func call(address uintptr) { sink = address }

//go:noinline
func BadCall(n int) int {
	size := n // want pattern=unsafe-pointer call=newobject
	call(uintptr(unsafe.Pointer(&size)))
	return size
}

//go:noinline
func plain(address uintptr) { sink = address }

//go:noinline
func GoodPlain(n int) int {
	size := n
	plain(uintptr(unsafe.Pointer(&size))) // want none
	return size
}
