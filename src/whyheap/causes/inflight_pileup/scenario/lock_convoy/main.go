// A consumer that starts a goroutine for each message; all write into one file under one lock, 10 milliseconds each. 250
// messages a second come, 100 are written. No HTTP request is involved.
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
	"sync"
	"time"
)

type journal struct {
	mu      sync.Mutex
	written int
}

func (j *journal) write(message []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	time.Sleep(10 * time.Millisecond) // the disk
	j.written += int(message[0])
}

func consume(j *journal, messageBytes int) {
	message := make([]byte, messageBytes)
	for i := range message {
		message[i] = byte(i)
	}
	j.write(message)
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	messageBytes := flag.Int("message", 24<<10, "bytes of a message")
	perSecond := flag.Int("rate", 250, "messages a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		disk := new(journal)
		for range time.Tick(time.Second / time.Duration(*perSecond)) {
			go consume(disk, *messageBytes)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
