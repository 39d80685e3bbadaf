// A price service that asks with a timeout and forgets the slow ones: who answers late blocks for ever on its channel.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 88MiB
//lab:args -keep 16384 -rate 250
//lab:seconds 16
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

// lookUp is slower than its caller is patient.
func lookUp(answers chan<- int, keepBytes int) {
	reply := bytes.Repeat([]byte("price,"), keepBytes/6)
	time.Sleep(20 * time.Millisecond)
	answers <- len(reply) // nobody receives any more
	reply[0]++
}

func price(keepBytes int) int {
	answers := make(chan int)
	go lookUp(answers, keepBytes)
	select {
	case answer := <-answers:
		return answer
	case <-time.After(time.Millisecond):
		return 0
	}
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	keepBytes := flag.Int("keep", 8192, "bytes that each goroutine keeps")
	perSecond := flag.Int("rate", 200, "requests a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		for range time.Tick(time.Second / time.Duration(*perSecond)) {
			go price(*keepBytes)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
