package main

import "example.com/my-prog/shapes"

var sink *shapes.Point

func main() {
	sink = shapes.Address(2)
	println(shapes.GrowLocal(3), len(shapes.Grow(nil)))
}
