// A service that parses an expression which somebody nested a hundred thousand levels deep. The stack of the one
// goroutine is doubled by copying it each time it is full, until old and new stack together do not fit.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 112MiB
//lab:seconds 18
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

type parser struct {
	begun time.Time
	rate  float64 // levels a second
}

// expression parses one level, and what is nested in it.
func (p *parser) expression(level int) int {
	var token [600]byte
	token[level%len(token)] = byte(level)
	for float64(level) > time.Since(p.begun).Seconds()*p.rate {
		time.Sleep(time.Millisecond)
	}
	return p.expression(level+1) + int(token[level%600])
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Float64("rate", 9000, "levels a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		one := &parser{time.Now(), *perSecond}
		fmt.Fprintln(os.Stderr, one.expression(1))
	}()
	go func() {
		for range time.Tick(10 * time.Millisecond) {
			answer := make([]byte, 64<<10)
			answer[0] = 1
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
