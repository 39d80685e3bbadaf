// An HTTP service whose handlers wait for a vote that is never cast. Their clients give up after half a second and close
// the connection; the handlers do not look at the request's context and stay.
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

type ballot struct {
	votes chan string
}

// elect waits for the vote of a member who has left.
func (b *ballot) elect(w http.ResponseWriter, _ *http.Request) {
	candidates := make([]byte, 96<<10)
	for i := range candidates {
		candidates[i] = byte(i)
	}
	fmt.Fprintln(w, <-b.votes, candidates[7])
}

// ask opens a connection, sends a request and leaves without the answer.
func ask(address string, patience time.Duration) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /elect HTTP/1.1\r\nHost: shop\r\n\r\n")
	time.AfterFunc(patience, func() { conn.Close() })
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 40, "requests a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	open := &ballot{votes: make(chan string)}
	http.HandleFunc("/elect", open.elect)
	go func() {
		for range time.Tick(time.Second / time.Duration(*perSecond)) {
			ask(listener.Addr().String(), 500*time.Millisecond)
			text := make([]byte, 256<<10) // garbage, as any service makes
			time.Sleep(time.Duration(text[0]))
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
