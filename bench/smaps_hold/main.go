// Keeps memory resident and maps a little more, again and again: prints a line a second, with the longest time that
// mapping and the first write took.
package main

import (
	"flag"
	"fmt"
	"syscall"
	"time"
)

var kept [][]byte

func main() {
	mebibytes := flag.Int("mebibytes", 1024, "how much is resident")
	lifetime := flag.Duration("for", time.Minute, "end after this time")
	flag.Parse()
	for range *mebibytes {
		piece := make([]byte, 1<<20)
		for index := 0; index < len(piece); index += 4096 {
			piece[index] = 1
		}
		kept = append(kept, piece)
	}
	fmt.Println("ready")
	for end := time.Now().Add(*lifetime); time.Now().Before(end); {
		var mapping, fault time.Duration
		for second := time.Now().Add(time.Second); time.Now().Before(second); time.Sleep(500 * time.Microsecond) {
			begun := time.Now()
			piece, err := syscall.Mmap(-1, 0, 1<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
			if err != nil {
				panic(err)
			}
			mapping = max(mapping, time.Since(begun))
			begun = time.Now()
			piece[0] = 1
			fault = max(fault, time.Since(begun))
			syscall.Munmap(piece)
		}
		fmt.Printf("%.2f %.2f\n", mapping.Seconds()*1000, fault.Seconds()*1000)
	}
}
