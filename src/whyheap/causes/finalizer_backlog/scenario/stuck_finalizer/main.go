// A driver whose handles tell a monitor when they are freed, over a channel. The monitor has stopped listening: the first
// finalizer waits for ever, and all that come after it wait behind it, with the buffers that they would let go.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 88MiB
//lab:seconds 16
//lab:or live-heap-growth
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
	"time"
)

type handle struct {
	result [8192]byte
}

type monitor struct {
	freed chan int
}

func (m *monitor) open() *handle {
	one := new(handle)
	runtime.SetFinalizer(one, func(h *handle) { m.freed <- len(h.result) })
	return one
}

func query(m *monitor, number int) int {
	one := m.open()
	for i := range one.result {
		one.result[i] = byte(i + number)
	}
	return int(one.result[number%len(one.result)])
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 600, "queries a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		watched, sum, begun := &monitor{freed: make(chan int)}, 0, time.Now()
		for number := 0; ; number++ {
			for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			sum += query(watched, number)
			text := make([]byte, 8<<10+number%2) // garbage, as any service makes
			text[0] = byte(sum)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
