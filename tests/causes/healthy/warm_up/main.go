// Healthy: caches fill and workers start during the first seconds, then nothing grows any more.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

const (
	entries = 900
	workers = 90
)

var (
	cache = map[int][]byte{}
	sink  []byte
	jobs  = make(chan int)
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(2*time.Minute, func() { os.Exit(0) })
	go func() {
		for request := 0; ; request++ {
			if request < entries {
				cache[request] = make([]byte, 64<<10)
			}
			if request < entries && request%(entries/workers) == 0 {
				go func() { <-jobs }()
			}
			for range 8 {
				sink = make([]byte, 64<<10)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
