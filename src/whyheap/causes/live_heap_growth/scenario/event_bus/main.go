// An event bus whose subscribers are never removed: each connection adds a callback, and the callback holds what the
// connection had read. The bus is a plain struct that main owns; no package-level variable is involved.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 88MiB
//lab:seconds 16
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

type bus struct {
	callbacks []func(event int) int
}

func (b *bus) subscribe(callback func(event int) int) {
	b.callbacks = append(b.callbacks, callback)
}

func (b *bus) publish(event int) (sum int) {
	for _, callback := range b.callbacks[max(len(b.callbacks)-100, 0):] {
		sum += callback(event)
	}
	return sum
}

// connect reads a greeting and subscribes; nothing unsubscribes when the connection ends.
func connect(b *bus, keepBytes int) {
	greeting := make([]byte, keepBytes)
	for i := 0; i < len(greeting); i += 512 {
		greeting[i] = byte(i)
	}
	b.subscribe(func(event int) int { return int(greeting[event%len(greeting)]) })
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	keepBytes := flag.Int("keep", 24<<10, "bytes that each connection keeps")
	perSecond := flag.Int("rate", 200, "connections a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		events, begun := &bus{}, time.Now()
		for id := 0; ; id++ {
			for float64(id) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			connect(events, *keepBytes)
			page := make([]byte, 32<<10) // garbage, as any service makes
			page[events.publish(id)%len(page)] = 1
			time.Sleep(time.Duration(page[0])) // page stays on the heap
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
