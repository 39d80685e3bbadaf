// A service that makes an anonymous shared mapping for each worker process it may start later, and writes its input into
// it. Regions of jobs that are done stay mapped.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 128MiB
//lab:seconds 16
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"syscall"
	"time"
)

type pool struct{ regions map[int][]byte }

// job maps a region and fills it from its input.
func (p *pool) job(number, bytes int) {
	region, err := syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_SHARED)
	if err != nil {
		log.Fatal(err)
	}
	input := make([]byte, 128<<10)
	for at := 0; at < len(region); at += len(input) {
		copy(region[at:], input)
	}
	p.regions[number] = region
}

// done forgets the job, and with it the only way to unmap its region.
func (p *pool) done(number int) { delete(p.regions, number) }

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	bytes := flag.Int("bytes", 4<<20, "of one region")
	every := flag.Duration("every", 340*time.Millisecond, "between two jobs")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		workers := &pool{map[int][]byte{}}
		number := 0
		for range time.Tick(*every) {
			workers.job(number, *bytes)
			workers.done(number - 2)
			number++
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
