package shapes

import "unsafe"

//go:noinline
func Noinline(p *int) int { return *p }

//go:uintptrescapes
func Uintptr(p uintptr, ps ...uintptr) uintptr { return p }

func UseUintptr(p *int) uintptr {
	return Uintptr(uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(p)))
}

func Assembly(p uintptr) uintptr

func Big(a, b [1 << 14]int) int { return a[1] + b[2] }
