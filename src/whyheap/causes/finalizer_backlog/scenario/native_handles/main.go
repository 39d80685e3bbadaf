// A parser that wraps native handles. Each handle is freed by a finalizer, over a channel to the one thread that may call
// the library, which takes its time. It serves no endpoint, so it is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 88MiB
//lab:seconds 16
//lab:or live-heap-growth
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

type document struct {
	nodes []uint64
}

type library struct {
	free chan int
}

func (l *library) serve() {
	for range l.free {
		time.Sleep(50 * time.Millisecond) // the call into the library
	}
}

func (l *library) parse(count int) *document {
	one := &document{nodes: make([]uint64, count)}
	for i := range one.nodes {
		one.nodes[i] = uint64(i)
	}
	runtime.SetFinalizer(one, func(d *document) { l.free <- len(d.nodes) })
	return one
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	count := flag.Int("nodes", 4096, "nodes of a document")
	perSecond := flag.Int("rate", 150, "documents a second")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	native, sum, begun := &library{free: make(chan int)}, 0, time.Now()
	go native.serve()
	for number := 0; ; number++ {
		for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
			time.Sleep(time.Millisecond)
		}
		sum += len(native.parse(*count).nodes)
		text := make([]byte, 16<<10+number%2) // garbage, as any service makes
		text[0] = byte(sum)
	}
}
