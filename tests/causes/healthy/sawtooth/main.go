// Healthy: bursts of goroutines that each hold a buffer, work for a while and end.
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

func work(done <-chan struct{}, size int) {
	buffer := make([]byte, size)
	<-done
	buffer[0]++
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(2*time.Minute, func() { os.Exit(0) })
	go func() {
		for {
			done := make(chan struct{})
			for range 300 {
				go work(done, 100<<10)
				time.Sleep(8 * time.Millisecond)
			}
			close(done)
			time.Sleep(200 * time.Millisecond)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
