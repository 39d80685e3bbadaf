// A service that remembers every action in a package-level slice, "for the admin page", and never cuts it.
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
	"strings"
	"sync"
	"time"
)

type action struct {
	at     time.Time
	user   int
	detail [960]byte
}

var (
	mu    sync.Mutex
	audit []*action
)

func record(user int) {
	one := &action{at: time.Now(), user: user}
	copy(one.detail[:], "changed the address")
	mu.Lock()
	audit = append(audit, one)
	mu.Unlock()
}

func handle(user int) int {
	record(user)
	return len(strings.Repeat("ok ", 500))
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 5000, "actions a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		sum, begun := 0, time.Now()
		for user := 0; ; user++ {
			for float64(user) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			sum += handle(user)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
