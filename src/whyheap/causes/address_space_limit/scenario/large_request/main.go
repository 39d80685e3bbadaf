// A service under a limit of address space (ulimit -v) that is sent a length by a client and allocates it at once, before anything
// was read: the runtime cannot have so large a block and ends the process.
//
// It prints its pprof address, ends with exit code 2, or by itself after -for.
//
//lab:rlimit as=3GiB
//lab:seconds 18
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

// receive makes room for a body of the length that its header claims.
func receive(length int) []byte {
	body := make([]byte, length)
	body[0] = 1
	return body
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	after := flag.Duration("after", 8*time.Second, "until the large length comes")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	begun := time.Now()
	go func() {
		for range time.Tick(5 * time.Millisecond) {
			length := 64 << 10
			if time.Since(begun) > *after {
				length = 4 << 30
			}
			receive(length)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
