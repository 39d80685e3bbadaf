// A trading engine that switches the collector off for the length of each trade and then restores what was before. Two
// trades overlap: the second one restores the "off" of the first, and off it stays.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 128MiB
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
	"runtime/debug"
	"time"
)

type quote struct {
	price, volume float64
	next          *quote
}

// undisturbed runs a trade without the collector.
func undisturbed(trade func()) {
	before := debug.SetGCPercent(-1)
	defer debug.SetGCPercent(before)
	trade()
}

// book builds a chain of quotes and adds them up.
func book(depth int) (sum float64) {
	var head *quote
	for i := range depth {
		head = &quote{price: float64(i), volume: 1, next: head}
	}
	for at := head; at != nil; at = at.next {
		sum += at.price * at.volume
	}
	return sum
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go undisturbed(func() { time.Sleep(1500 * time.Millisecond) })
	time.AfterFunc(time.Second, func() { undisturbed(func() { time.Sleep(time.Second) }) })
	go func() {
		for {
			book(5000)
			time.Sleep(12 * time.Millisecond)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
