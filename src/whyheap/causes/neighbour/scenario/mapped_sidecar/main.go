// A small service beside a proxy that maps more and more buffers outside any heap. The kernel kills the proxy again and
// again; the service is only restarted with it, and its own memory is level.
//
// It prints its pprof address and ends by itself after -for.
//
//lab:limit 112MiB
//lab:neighbour -proxy
//lab:seconds 15
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

// proxy maps a buffer for each connection and never unmaps one.
func proxy() {
	for range time.Tick(100 * time.Millisecond) {
		buffer, err := syscall.Mmap(-1, 0, 1<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			log.Fatal(err)
		}
		for at := 0; at < len(buffer); at += 4096 {
			buffer[at] = 1
		}
	}
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	isProxy := flag.Bool("proxy", false, "be the proxy")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	if *isProxy {
		fmt.Println("ready")
		proxy()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	go func() {
		recent := make([][]byte, 64)
		for number := 0; ; number++ {
			recent[number%len(recent)] = make([]byte, 64<<10)
			time.Sleep(10 * time.Millisecond)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
