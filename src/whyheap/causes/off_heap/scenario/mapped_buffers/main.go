// A batch job that maps anonymous memory for each batch, to spare the collector, and loses the mapping instead of
// unmapping it. It serves no endpoint and needs no C, so it is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 128MiB
//lab:seconds 16
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"syscall"
	"time"
)

// batch sorts its rows in a scratch region of its own.
func batch(bytes int, text []byte) int {
	scratch, err := syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		log.Fatal(err)
	}
	used := 0
	for used < len(scratch) {
		used += copy(scratch[used:], text)
	}
	return used // and no Munmap
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	bytes := flag.Int("bytes", 2<<20, "of one batch")
	every := flag.Duration("every", 170*time.Millisecond, "between two batches")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	total := 0
	for range time.Tick(*every) {
		total += batch(*bytes, make([]byte, 300<<10))
	}
}
