// A video gateway with a fixed number of workers, each with a buffer for one frame: as many as the machine has work for,
// and more than the container has memory for. It serves no endpoint, so it is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 128MiB
//lab:env GOMEMLIMIT=115MiB
//lab:second gc-thrash
//lab:seconds 15
package main

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"time"
)

type frame struct {
	header  []byte
	pixels  []byte
	numbers []int
}

var (
	mu     sync.Mutex
	newest *frame
)

func worker(pixels int, frames <-chan int, done chan<- int) {
	buffer := make([]byte, pixels)
	for number := range frames {
		for i := 0; i < len(buffer); i += 64 {
			buffer[i] = byte(number + i)
		}
		one := &frame{header: make([]byte, 512), pixels: buffer[:4096], numbers: make([]int, 1000)}
		one.numbers[number%1000]++
		if number%100 == 0 {
			mu.Lock()
			newest = one
			mu.Unlock()
		}
		done <- len(one.header) + len(one.pixels)
	}
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	workers := flag.Int("workers", 104, "workers, each with a buffer of 1 MiB")
	perSecond := flag.Int("rate", 250, "frames a second")
	flag.Parse()
	frames, done := make(chan int), make(chan int, *workers)
	for range *workers {
		go worker(1<<20, frames, done)
	}
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	for number := range *workers { // one frame each, so that all buffers are there
		frames <- number
	}
	fmt.Println("ready")
	begun := time.Now()
	for number := 0; ; number++ {
		for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
			time.Sleep(time.Millisecond)
		}
		<-done
		frames <- number
	}
}
