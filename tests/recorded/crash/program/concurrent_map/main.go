// Command concurrent_map writes a map from two goroutines.
package main

import "time"

func write(counts map[int]int) {
	for i := 0; ; i++ {
		counts[i%64]++
	}
}

func main() {
	counts := map[int]int{}
	go write(counts)
	go write(counts)
	time.Sleep(5 * time.Second)
}
