// Command large_block asks for one block that no machine has.
package main

import "os"

func read(size int) []byte { return make([]byte, size) }

func main() {
	size := 1 << 46
	os.Stdout.Write(read(size)[:1])
}
