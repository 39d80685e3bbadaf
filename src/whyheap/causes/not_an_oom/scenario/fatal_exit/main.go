// A service that ends itself with exit code 1 when the service it depends on is gone.
//
// It prints its pprof address, gives up, or ends by itself after -for.
//
//lab:limit 128MiB
//lab:seconds 14
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

// ask sends a request to the service that this one depends on.
func ask(dependency net.Conn, answer []byte) {
	if _, err := dependency.Read(answer); err != nil {
		log.Fatalf("prices: %v", err)
	}
}

// depend serves a connection for a while.
func depend(listener net.Listener, end time.Duration) {
	conn, err := listener.Accept()
	if err != nil {
		log.Fatal(err)
	}
	for begun := time.Now(); time.Since(begun) < end; time.Sleep(5 * time.Millisecond) {
		conn.Write(make([]byte, 32<<10))
	}
	conn.Close()
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	after := flag.Duration("after", 7*time.Second, "until the other service ends")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	prices, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go depend(prices, *after)
	dependency, err := net.Dial("tcp", prices.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			ask(dependency, make([]byte, 64<<10))
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
