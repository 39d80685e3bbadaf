// A gateway that is busy and keeps up: each call has a context with a timeout that is cancelled, a handle with a
// finalizer, a goroutine of its own, and one of 64 slots. All of these come and go; none of them grows.
//
// It prints its pprof address and ends by itself after -for.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

type handle struct {
	number int
	freed  *atomic.Int64
}

type gateway struct {
	slots chan struct{}
	freed atomic.Int64
	sum   atomic.Int64
}

func (g *gateway) take(number int) *handle {
	one := &handle{number: number, freed: &g.freed}
	runtime.SetFinalizer(one, func(h *handle) { h.freed.Add(1) })
	return one
}

func (g *gateway) call(size int) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	one, bytes := g.take(size), make([]byte, size)
	for i := range bytes {
		bytes[i] = byte(i)
	}
	g.slots <- struct{}{}
	defer func() { <-g.slots }()
	select {
	case <-time.After(20 * time.Millisecond):
	case <-ctx.Done():
	}
	g.sum.Add(int64(bytes[7]) + int64(one.number))
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	size := flag.Int("size", 32<<10, "bytes of a call's buffer")
	perSecond := flag.Int("rate", 200, "calls a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		front := &gateway{slots: make(chan struct{}, 64)}
		for range time.Tick(time.Second / time.Duration(*perSecond)) {
			go front.call(*size)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
