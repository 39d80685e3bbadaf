// A thumbnail service that puts each job into a channel with room for a million, so that "callers never block"; its one
// worker takes 10 milliseconds for each. The jobs that wait are in the channel; no goroutine waits.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 88MiB
//lab:seconds 16
//lab:or live-heap-growth
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

type job struct {
	image [24 << 10]byte
}

type service struct {
	jobs chan *job
	done int
}

func (s *service) submit() {
	one := new(job)
	for i := range one.image {
		one.image[i] = byte(i)
	}
	s.jobs <- one
}

func (s *service) work() {
	for one := range s.jobs {
		time.Sleep(10 * time.Millisecond)
		s.done += int(one.image[1])
	}
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 280, "jobs a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	thumbnails := &service{jobs: make(chan *job, 1<<20)}
	go thumbnails.work()
	go func() {
		begun := time.Now()
		for number := 0; ; number++ {
			for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			thumbnails.submit()
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
