// A geocoder with a fixed table that alone nearly fills its container. It was ready, and dies of the first garbage: no
// setting of the collector makes room for what is simply needed.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 112MiB
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
	"runtime/debug"
	"time"
)

type block [1024]int32

var (
	table []*block
	reply []int32
)

func load(blocks int) {
	for number := range blocks {
		one := new(block)
		for i := range one {
			one[i] = int32(number ^ i)
		}
		table = append(table, one)
	}
}

func find(query int) {
	near := make([]int32, 2048)
	for i := range near {
		near[i] = table[(query+i)%len(table)][i%1024]
	}
	reply = near
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	blocks := flag.Int("blocks", 24_000, "blocks of 4 KiB")
	perSecond := flag.Int("rate", 150, "queries a second")
	flag.Parse()
	percent := debug.SetGCPercent(5) // while it loads
	load(*blocks)
	runtime.GC()
	debug.SetGCPercent(percent)
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
			find(query)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
