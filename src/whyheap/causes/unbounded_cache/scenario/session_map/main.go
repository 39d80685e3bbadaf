// A shop that never ends a session: every visit stays reachable from a package-level map.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 88MiB
//lab:args -keep 4096 -rate 1000
//lab:seconds 16
//lab:or live-heap-growth
package main

import (
	"bytes"
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

type session struct {
	user   string
	basket []byte
}

var (
	mu       sync.Mutex
	sessions = map[int]*session{}
)

// visit keeps one session and makes some garbage, as any handler does.
func visit(id, keepBytes int) int {
	basket := bytes.Repeat([]byte("item,"), keepBytes/5)
	mu.Lock()
	sessions[id] = &session{user: fmt.Sprint("user-", id), basket: basket}
	mu.Unlock()
	page := ""
	for i := range 16 {
		page += fmt.Sprintf("<li>item %d of %d: %s</li>", i, id, basket[:64])
	}
	return len(page)
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	keepBytes := flag.Int("keep", 4096, "bytes that each visit keeps")
	perSecond := flag.Int("rate", 1000, "visits a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		sum, begun := 0, time.Now()
		for id := 0; ; id++ {
			for float64(id) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			sum += visit(id, *keepBytes)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
