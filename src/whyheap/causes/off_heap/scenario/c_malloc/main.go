// An HTTP service that renders thumbnails in buffers of the C allocator and never frees one: the Go heap stays small
// while the process grows.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 128MiB
//lab:seconds 16
package main

// #include <stdlib.h>
// #include <string.h>
import "C"

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
	"unsafe"
)

// render draws into memory that only C.free would give back; on the path of an error nobody calls it.
func render(bytes int) byte {
	pixels := C.malloc(C.size_t(bytes))
	C.memset(pixels, 0x7f, C.size_t(bytes))
	return *(*byte)(unsafe.Pointer(pixels))
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 50, "thumbnails a second")
	bytes := flag.Int("bytes", 240<<10, "of one thumbnail")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		begun, sum := time.Now(), 0
		for number := 1; ; number++ {
			for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			header := make([]byte, 64<<10+number%2) // garbage, as any service makes
			sum += int(render(*bytes)) + len(header)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
