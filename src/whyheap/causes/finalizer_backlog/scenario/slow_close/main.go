// A reader of camera frames whose finalizer gives each frame back to its device, which takes 20 milliseconds. One
// goroutine runs all finalizers: 50 frames a second are given back, 150 come.
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
	"runtime"
	"time"
)

type frame struct {
	number int
	pixels []byte
}

func (f *frame) giveBack() {
	time.Sleep(20 * time.Millisecond) // the device is slow
}

func capture(number, pixelBytes int) *frame {
	one := &frame{number: number, pixels: make([]byte, pixelBytes)}
	for i := range one.pixels {
		one.pixels[i] = byte(i)
	}
	runtime.SetFinalizer(one, (*frame).giveBack)
	return one
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	pixelBytes := flag.Int("pixels", 48<<10, "bytes of a frame")
	perSecond := flag.Int("rate", 150, "frames a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		sum, begun := 0, time.Now()
		for number := 0; ; number++ {
			for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			sum += len(capture(number, *pixelBytes).pixels)
			preview := make([]byte, 16<<10+number%2) // garbage, as any service makes
			preview[0] = byte(sum)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
