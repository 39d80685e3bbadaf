// A rules engine whose workers wait deep in their recursion: their stacks count twice, once as they are and once more in
// the heap goal, which follows from live heap and stacks together.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 112MiB
//lab:second stack-growth
//lab:seconds 15
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"sync"
	"time"
)

type rule struct {
	name     string
	children []*rule
}

var (
	rules *rule
	reply []byte
)

func grow(depth int) *rule {
	one := &rule{name: fmt.Sprint("rule at depth ", depth)}
	if depth > 0 {
		for range 4 {
			one.children = append(one.children, grow(depth-1))
		}
	}
	return one
}

// descend waits for work at the bottom of a recursion; each frame takes half a KiB.
func descend(depth int, ready *sync.WaitGroup, work <-chan int) int {
	var frame [448]byte
	for i := range frame {
		frame[i] = byte(depth + i)
	}
	if depth == 0 {
		ready.Done()
		return <-work
	}
	return descend(depth-1, ready, work) + int(frame[depth%len(frame)])
}

func answer(request int) {
	text := make([]byte, 32<<10)
	for i := range text {
		text[i] = byte(request + i)
	}
	reply = text
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	flag.Parse()
	rules = grow(8)
	var ready sync.WaitGroup
	work := make(chan int)
	for range 480 {
		ready.Add(1)
		go descend(220, &ready, work)
	}
	ready.Wait()
	runtime.GC() // the collector knows now what is live
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		for request := 0; ; request++ {
			answer(request)
			time.Sleep(4 * time.Millisecond)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
