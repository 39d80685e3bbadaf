// A search service whose index is mapped outside the Go heap. GOMEMLIMIT was set to nine tenths of the container's limit,
// as one reads everywhere, but it does not count that mapping: Go may take what is no longer there.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 128MiB
//lab:env GOMEMLIMIT=115MiB
//lab:env GOGC=400
//lab:second off-heap
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
	"syscall"
	"time"
)

var (
	ranks map[int]*[64]byte
	reply []byte
)

// mapIndex reads the index into memory of its own.
func mapIndex(size int) []byte {
	index, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		log.Fatal(err)
	}
	for i := 0; i < len(index); i += 512 {
		index[i] = byte(i >> 9)
	}
	return index
}

func search(index []byte, query int) {
	hits := make([]byte, 32<<10)
	for i := range hits {
		hits[i] = index[(query*4096+i)%len(index)]
	}
	reply = hits
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	indexBytes := flag.Int("index", 56<<20, "bytes of the mapped index")
	perSecond := flag.Int("rate", 320, "queries a second")
	flag.Parse()
	index := mapIndex(*indexBytes)
	ranks = make(map[int]*[64]byte, 220_000)
	for id := range 220_000 {
		ranks[id] = &[64]byte{byte(id)}
	}
	runtime.GC() // the collector knows now what is live
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		begun := time.Now()
		for query := 0; ; query++ {
			for float64(query) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			search(index, query)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
