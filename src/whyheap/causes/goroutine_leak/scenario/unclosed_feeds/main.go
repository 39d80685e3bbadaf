// A feed reader that starts one goroutine per subscription, ranging over a channel that the publisher forgets to close
// when the subscription ends: each goroutine waits for the next item for ever, with its window of items.
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

type feed struct {
	items chan int
}

func (f *feed) follow(windowBytes int) {
	window := make([]byte, windowBytes)
	for item := range f.items {
		for i := 0; i < len(window); i += 64 {
			window[i] += byte(item)
		}
	}
}

// subscribe delivers three items and leaves.
func subscribe(windowBytes int) {
	one := &feed{items: make(chan int)}
	go one.follow(windowBytes)
	for item := range 3 {
		one.items <- item
	}
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	windowBytes := flag.Int("window", 24<<10, "bytes that each subscription keeps")
	perSecond := flag.Int("rate", 150, "subscriptions a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		begun := time.Now()
		for number := 0; ; number++ {
			for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			subscribe(*windowBytes)
			text := make([]byte, 16<<10+number%2) // garbage, as any service makes
			text[0] = byte(number)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
