// A shop that lets each cart expire by a timer of one hour, and does not stop the timer when the cart is paid: the
// timer's function holds the cart until the hour is over.
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

type cart struct {
	items [2048]byte
}

func (c *cart) pay() int {
	for i := range c.items {
		c.items[i] = byte(i)
	}
	return int(c.items[100])
}

func (c *cart) release() { c.items[0] = 0 }

// buy is over in a moment; its timer is not.
func buy() int {
	one := new(cart)
	time.AfterFunc(time.Hour, func() { one.release() })
	return one.pay()
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 2000, "carts a second")
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
			sum += buy()
			page := make([]byte, 2048+id%2) // garbage, as any service makes
			page[0] = byte(sum)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
