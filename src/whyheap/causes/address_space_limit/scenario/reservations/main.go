// A database that reserves address space for each table it opens, without touching it, under a limit of address space
// (ulimit -v). The process is small when the runtime cannot have the next piece of heap. It serves no endpoint, so it is
// observed from outside by its process id.
//
// It prints "ready", ends with exit code 2, or by itself after -for.
//
//lab:rlimit as=3GiB
//lab:seconds 20
package main

import (
	"flag"
	"fmt"
	"os"
	"syscall"
	"time"
)

// reserve takes addresses for a table; nothing of it is resident.
func reserve(bytes int) ([]byte, error) {
	return syscall.Mmap(-1, 0, bytes, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_NORESERVE)
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	every := flag.Duration("every", 300*time.Millisecond, "between two tables")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	var recent [8][]byte
	for number := 0; ; number++ {
		if _, err := reserve(64 << 20); err != nil {
			fmt.Fprintln(os.Stderr, "no table:", err)
			recent[0] = make([]byte, 160<<20) // falls back to a cache in memory
		}
		recent[number%len(recent)] = make([]byte, 512<<10)
		time.Sleep(*every)
	}
}
