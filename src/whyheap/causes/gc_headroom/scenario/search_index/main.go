// A search service with a fixed index in memory. The index fits its container, but with GOGC=100 the collector lets the
// heap grow to twice the index before it runs, and that does not fit.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 160MiB
//lab:args -live 104857600 -rate 4194304
//lab:seconds 12
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

var (
	index [][]byte
	reply []byte
)

// search makes garbage only; it writes what it allocates, so that the memory is really charged.
func search(query int) {
	hits := make([]byte, 64<<10)
	for i := 0; i < len(hits); i += 512 {
		hits[i] = index[(query+i)%len(index)][0] + 1
	}
	reply = hits
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	liveBytes := flag.Int("live", 300<<20, "bytes of the index")
	bytesPerSecond := flag.Int("rate", 8<<20, "bytes of garbage a second")
	flag.Parse()
	for range *liveBytes >> 16 {
		page := make([]byte, 64<<10)
		for i := range page {
			page[i] = byte(i)
		}
		index = append(index, page)
	}
	runtime.GC() // the collector knows now what is live
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		pause := time.Second / time.Duration(*bytesPerSecond>>16)
		for query := 0; ; query++ {
			search(query)
			time.Sleep(pause)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
