// An HTTP service that resizes four images at once, by a channel of four slots, 100 milliseconds each: 40 a second. 100 a
// second come, and each that waits for a slot has its image in memory already.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 88MiB
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
	"time"
)

type resizer struct {
	slots chan struct{}
}

func (r *resizer) resize(w http.ResponseWriter, _ *http.Request) {
	image := make([]byte, 80<<10)
	for i := range image {
		image[i] = byte(i)
	}
	r.slots <- struct{}{}
	defer func() { <-r.slots }()
	time.Sleep(100 * time.Millisecond) // the work
	fmt.Fprintln(w, image[1])
}

func ask(address string) net.Conn {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /resize HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")
	return conn
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 100, "requests a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	images := &resizer{slots: make(chan struct{}, 4)}
	http.HandleFunc("/resize", images.resize)
	go func() {
		var clients []net.Conn
		for range time.Tick(time.Second / time.Duration(*perSecond)) {
			clients = append(clients, ask(listener.Addr().String()))
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
