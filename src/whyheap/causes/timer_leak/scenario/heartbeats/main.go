// A chat server that sends a heartbeat to each client every 30 seconds by a timer that winds itself up again. When the
// client leaves, nothing stops the timer, and the timer keeps the client's state.
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

type client struct {
	heartbeat *time.Timer
	received  []byte
}

func (c *client) beat() {
	c.received = append(c.received[:0], '.')
	c.heartbeat.Reset(30 * time.Second)
}

func join(bufferBytes int) *client {
	one := &client{received: make([]byte, bufferBytes)}
	one.heartbeat = time.AfterFunc(30*time.Second, one.beat)
	return one
}

func (c *client) talk() int {
	for i := range c.received {
		c.received[i] = byte(i)
	}
	return len(c.received)
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	bufferBytes := flag.Int("buffer", 2<<10, "bytes that each client's buffer takes")
	perSecond := flag.Int("rate", 2000, "clients a second that come and go")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		sum, begun := 0, time.Now()
		for id := 0; ; id++ {
			for float64(id) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			sum += join(*bufferBytes).talk()
			message := make([]byte, 2<<10+id%2) // garbage, as any service makes
			message[0] = byte(sum)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
