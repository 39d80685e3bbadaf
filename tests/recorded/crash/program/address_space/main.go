// Command address_space fills a limited address space with blocks that stay reachable, while two workers wait.
package main

import "time"

var kept [][]byte

func wait(ready chan struct{}) { <-ready }

func fill() {
	for {
		block := make([]byte, 8<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		kept = append(kept, block)
	}
}

func main() {
	for i := 0; i < 2; i++ {
		go wait(make(chan struct{}))
	}
	time.Sleep(20 * time.Millisecond)
	fill()
}
