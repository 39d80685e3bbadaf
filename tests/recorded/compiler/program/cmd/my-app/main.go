package main

import (
	"fmt"
	"os"

	"example.com/my-prog/shapes"
)

type options struct{ name string }

func main() {
	o := &options{os.Args[0]}
	fmt.Println(o, shapes.Box(o), *shapes.Address(len(os.Args)))
}
