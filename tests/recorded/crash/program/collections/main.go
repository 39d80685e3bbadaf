// Command collections keeps some of what it allocates, beside log lines of its own, and writes no more after 40 MiB.
package main

import (
	"log"
	"runtime"
	"time"
)

var kept [][]byte

func main() {
	for i := 0; i < 160; i++ {
		for j := 0; j < 4; j++ {
			waste = make([]byte, 256<<10)
		}
		kept = append(kept, waste)
		if i%20 == 0 {
			log.Printf("served %d", i)
		}
		time.Sleep(5 * time.Millisecond)
	}
	runtime.GC()
}

var waste []byte
