// A batch service that waits for all parts of a batch by a WaitGroup; a part that fails returns before its Done, and the
// batch waits for ever. It serves no endpoint, so it is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 88MiB
//lab:seconds 16
package main

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"time"
)

type batch struct {
	parts   sync.WaitGroup
	results []byte
}

func (b *batch) part(number int) {
	if number == 3 {
		return // an error: and no Done
	}
	b.results[number] = byte(number)
	b.parts.Done()
}

func (b *batch) run() {
	for i := range b.results {
		b.results[i] = byte(i)
	}
	for number := range 4 {
		b.parts.Add(1)
		go b.part(number)
	}
	b.parts.Wait()
	b.results[0]++
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	resultBytes := flag.Int("results", 24<<10, "bytes that each batch keeps")
	perSecond := flag.Int("rate", 150, "batches a second")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	begun := time.Now()
	for number := 0; ; number++ {
		for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
			time.Sleep(time.Millisecond)
		}
		one := &batch{results: make([]byte, *resultBytes)}
		go one.run()
		text := make([]byte, 16<<10+number%2) // garbage, as any service makes
		text[0] = byte(number)
	}
}
