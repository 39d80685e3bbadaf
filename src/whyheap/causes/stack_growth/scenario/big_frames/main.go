// A service with a pool of workers whose one function has a large array as a local variable: each waits for work with 128
// KiB of stack. Their number is fixed, and the limit was chosen without them.
//
// It prints its pprof address and ends by itself after -for.
//
//lab:limit 112MiB
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

// work handles one message after the other, in a buffer of its own.
func work(messages <-chan []byte) {
	var buffer [72 << 10]byte
	for message := range messages {
		count := copy(buffer[:], message)
		buffer[count%len(buffer)]++
	}
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	workers := flag.Int("workers", 740, "in the pool")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	messages := make(chan []byte)
	for range *workers {
		go work(messages)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		for range time.Tick(2 * time.Millisecond) {
			messages <- make([]byte, 60<<10)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
