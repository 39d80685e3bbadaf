// A crawler with a fixed number of walkers that each go down a tree by recursion and wait for a slow disk at every level:
// their number is level, their stacks grow. It serves no endpoint, so it is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 112MiB
//lab:seconds 18
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

type node struct{ name [16]byte }

// walk visits a folder and the folders in it, one level after the other.
func walk(parent *node, level int, pause time.Duration) int {
	path := [8]node{0: *parent}
	path[level%8].name[0] = byte(level)
	time.Sleep(pause)
	sum := 0
	for at := range path {
		sum += int(path[at].name[0])
	}
	return sum + walk(&path[level%8], level+1, pause)
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	walkers := flag.Int("walkers", 200, "that run side by side")
	pause := flag.Duration("pause", 7*time.Millisecond, "at each level")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	for number := range *walkers {
		go walk(&node{[16]byte{byte(number)}}, 0, *pause)
	}
	for number := 0; ; number++ {
		listing := make([]byte, 32<<10)
		listing[number%len(listing)] = 1
		time.Sleep(10 * time.Millisecond)
	}
}
