// A store whose snapshots are written out by a cleanup (runtime.AddCleanup, Go 1.24) when nobody holds them any more:
// the cleanup's argument is the snapshot's bytes, and writing takes longer than the next snapshots do to come.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 88MiB
//lab:seconds 16
//lab:or live-heap-growth

//go:build go1.24

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
	"sync"
	"time"
)

type snapshot struct {
	number int
	bytes  []byte
}

var disk sync.Mutex

// write runs as a cleanup; one at a time may use the disk.
func write(bytes []byte) {
	disk.Lock()
	defer disk.Unlock()
	time.Sleep(20 * time.Millisecond)
	bytes[0] = 1
}

func take(number, size int) *snapshot {
	one := &snapshot{number: number, bytes: make([]byte, size)}
	for i := range one.bytes {
		one.bytes[i] = byte(i)
	}
	runtime.AddCleanup(one, write, one.bytes)
	return one
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	size := flag.Int("size", 48<<10, "bytes of a snapshot")
	perSecond := flag.Int("rate", 150, "snapshots a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		sum, begun := 0, time.Now()
		for number := 0; ; number++ {
			for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			sum += len(take(number, *size).bytes)
			text := make([]byte, 16<<10+number%2) // garbage, as any service makes
			text[0] = byte(sum)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
