// A report service with GODEBUG=madvdontneed=0: it makes a large report at times, and what Go gives back afterwards is
// only marked as free. The kernel keeps counting it until memory is short, so the process looks as large as ever.
//
// It prints its pprof address and ends by itself after -for.
//
//lab:limit 160MiB
//lab:env GODEBUG=madvdontneed=0
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
	"runtime/debug"
	"time"
)

// report builds many parts and keeps only their sum.
func report(bytes int) (sum int) {
	var parts [][]byte
	for size := 0; size < bytes; size += 64 << 10 {
		part := make([]byte, 64<<10)
		for at := 0; at < len(part); at += 512 {
			part[at] = byte(at)
		}
		parts = append(parts, part)
	}
	for _, part := range parts {
		sum += int(part[512])
	}
	return sum
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	bytes := flag.Int("bytes", 120<<20, "of one report")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		sum := report(*bytes)
		debug.FreeOSMemory()
		for number := 0; ; number++ { // small requests from now on
			page := make([]byte, 64<<10)
			page[number%len(page)] = byte(sum)
			time.Sleep(5 * time.Millisecond)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
