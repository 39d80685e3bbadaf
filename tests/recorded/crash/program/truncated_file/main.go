// Command truncated_file reads a mapped file after it was cut short.
package main

import (
	"os"
	"syscall"
)

func sum(page []byte) byte { return page[4096] }

func main() {
	file, err := os.CreateTemp("", "")
	if err != nil {
		panic(err)
	}
	os.Remove(file.Name())
	file.Truncate(8192)
	page, err := syscall.Mmap(int(file.Fd()), 0, 8192, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	file.Truncate(0)
	println(sum(page))
}
