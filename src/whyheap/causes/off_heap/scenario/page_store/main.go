// A service with a store of pages that lies outside the Go heap in one anonymous mapping, as some caches do. It is
// filled once and then level: nobody counted it when the container's limit was chosen. It needs no C.
//
// It prints its pprof address and ends by itself after -for.
//
//lab:limit 128MiB
//lab:seconds 16
package main

import (
	"flag"
	"fmt"
	"log"
	"math/rand"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"syscall"
	"time"
)

const pageBytes = 16 << 10

type store struct {
	pages []byte
	next  int
}

func newStore(bytes int) *store {
	pages, err := syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		log.Fatal(err)
	}
	return &store{pages: pages}
}

// put overwrites the oldest page.
func (s *store) put(page []byte) {
	s.next += copy(s.pages[s.next:s.next+pageBytes], page)
	s.next %= len(s.pages) - pageBytes
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	bytes := flag.Int("bytes", 112<<20, "of the store")
	perSecond := flag.Int("rate", 2000, "pages a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	pages := newStore(*bytes)
	for range *bytes / pageBytes / 2 { // half of it is read at the start
		pages.put(make([]byte, pageBytes))
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		begun := time.Now()
		for number := 0; ; number++ {
			for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(5 * time.Millisecond)
			}
			page := make([]byte, pageBytes)
			page[rand.Intn(len(page))] = 1
			pages.put(page)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
