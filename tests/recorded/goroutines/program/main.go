// Blocks in every way that a goroutine can, for recordings of goroutine profiles.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime/pprof"
	"sync"
	"time"
)

type worker struct{}

func (*worker) receive(from chan int) { <-from }

func send[T any](to chan T, value T) { to <- value }

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	time.AfterFunc(time.Minute, func() { os.Exit(0) })
	never := make(chan int)
	for range 5 {
		go new(worker).receive(never)
	}
	go send(make(chan string), "x")
	go func() {
		for range never {
		}
	}()
	go func() { select {} }()
	go func() {
		select {
		case <-never:
		case <-context.Background().Done():
		}
	}()
	go time.Sleep(time.Hour)
	var mutex sync.Mutex
	mutex.Lock()
	go func() { mutex.Lock() }()
	var readers sync.RWMutex
	readers.Lock()
	go func() { readers.RLock() }()
	var group sync.WaitGroup
	group.Add(1)
	go func() { group.Wait() }()
	go func() {
		condition := sync.NewCond(&sync.Mutex{})
		condition.L.Lock()
		condition.Wait()
	}()
	go func() {
		reader, _, _ := os.Pipe()
		_, _ = reader.Read(make([]byte, 1))
	}()
	pprof.Do(context.Background(), pprof.Labels("handler", `a "quoted" name`), func(context.Context) {
		go func() { <-never }()
	})
	time.Sleep(50 * time.Millisecond)
	fmt.Printf("http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
