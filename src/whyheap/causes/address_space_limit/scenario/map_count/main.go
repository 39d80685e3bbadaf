// A service with guard pages: every buffer is a mapping of its own between pages without access, and none is unmapped.
// The kernel allows a number of mappings (vm.max_map_count, 65,530 by default); then the runtime gets no more either.
//
// It prints its pprof address, ends with exit code 2, or by itself after -for.
//
//lab:limit 256MiB
//lab:seconds 20
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"syscall"
	"time"
)

// guarded maps two pages, of which only the first can be used.
func guarded() error {
	buffer, err := syscall.Mmap(-1, 0, 8192, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return err
	}
	return syscall.Mprotect(buffer[4096:], syscall.PROT_NONE)
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 3500, "buffers a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		begun := time.Now()
		var plain [][]byte
		for number := 0; ; number++ {
			for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			if err := guarded(); err != nil { // then without a guard
				plain = append(plain, make([]byte, 4<<20))
			}
			text := make([]byte, 1<<10)
			text[0] = byte(len(plain))
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
