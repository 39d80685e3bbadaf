package corpus

import "io"

type shape interface {
	Area() int
	Grown() shape
}

type square struct{ side int }

func (s square) Area() int     { return s.side * s.side }
func (s square) Grown() shape  { return square{s.side + 1000} }
func (s *square) Grow() *point { return &point{x: s.side} }

type circle struct{ radius int }

func (c *circle) Area() int    { return 3 * c.radius * c.radius }
func (c *circle) Grown() shape { return &circle{c.radius + 1} }

//go:noinline
func CallsThroughInterface(s shape) int { return s.Area() }

//go:noinline
func CallsAllocatingThroughInterface(s shape) shape { return s.Grown() }

//go:noinline
func CallsDevirtualised(n int) int { var s shape = square{n}; return s.Area() }

//go:noinline
func MakesInterfaceOfStruct(n int) shape { return square{n} }

//go:noinline
func MakesInterfaceOfPointer(n int) shape { return &circle{n} }

//go:noinline
func ConvertsInterface(s shape) any { return s }

//go:noinline
func AssertsInterface(a any) int {
	if s, ok := a.(shape); ok {
		return s.Area()
	}
	return 0
}

//go:noinline
func ReadsThroughInterface(r io.Reader) int {
	buffer := make([]byte, 64)
	n, _ := r.Read(buffer)
	return n
}

//go:noinline
func ReadsIntoGiven(r io.Reader, buffer []byte) int { n, _ := r.Read(buffer); return n }

//go:noinline
func CallsMethodDirectly(s *square) *point { return s.Grow() }

//go:noinline
func EmbeddedMethod(o *owner) int { return o.Add() }

type owner struct {
	name string
	counter
}

//go:noinline
func CallsEmbeddedInterface(w wrapper) int { return w.Area() }

type wrapper struct{ shape }

type zeros struct{}

func (zeros) Read(into []byte) (int, error) { return len(into), nil }

var (
	aSquare   shape     = square{large}
	aCircle   shape     = &circle{large}
	aReader   io.Reader = zeros{}
	anOwner             = &owner{}
	aWrapper            = wrapper{aCircle}
	boxSquare any       = aSquare
)

var dispatch = []Function{
	{"CallsThroughInterface", func() { CallsThroughInterface(aSquare) }},
	{"CallsAllocatingThroughInterface", func() { CallsAllocatingThroughInterface(aSquare) }},
	{"CallsDevirtualised", func() { CallsDevirtualised(large) }},
	{"MakesInterfaceOfStruct", func() { MakesInterfaceOfStruct(large) }},
	{"MakesInterfaceOfPointer", func() { MakesInterfaceOfPointer(large) }},
	{"ConvertsInterface", func() { ConvertsInterface(aSquare) }},
	{"AssertsInterface", func() { AssertsInterface(boxSquare) }},
	{"ReadsThroughInterface", func() { ReadsThroughInterface(aReader) }},
	{"ReadsIntoGiven", func() { ReadsIntoGiven(aReader, longBytes) }},
	{"CallsMethodDirectly", func() { CallsMethodDirectly(&aSquareValue) }},
	{"EmbeddedMethod", func() { EmbeddedMethod(anOwner) }},
	{"CallsEmbeddedInterface", func() { CallsEmbeddedInterface(aWrapper) }},
}

var aSquareValue = square{large}
