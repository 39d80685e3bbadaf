// Healthy: a fixed working set, and garbage at a steady rate.
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

var (
	table [][]byte
	sink  []byte
)

func main() {
	for range 400 {
		table = append(table, make([]byte, 64<<10))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(2*time.Minute, func() { os.Exit(0) })
	go func() {
		for {
			for range 10 {
				sink = make([]byte, 32<<10)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
