// A renderer that caches whole pages in a sync.Map under the full URL, query string included: nearly every request has
// a key of its own, and no entry is ever deleted.
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
	"sync"
	"time"
)

type page struct {
	body [2048]byte
}

var pages sync.Map

func render(url string) int {
	if found, ok := pages.Load(url); ok {
		return len(found.(page).body)
	}
	var one page
	for i := range one.body {
		one.body[i] = url[i%len(url)]
	}
	pages.Store(url, one)
	return len(one.body)
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 2000, "requests a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		sum, begun := 0, time.Now()
		for request := 0; ; request++ {
			for float64(request) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			sum += render(fmt.Sprintf("/search?q=shoes&session=%d", request))
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
