// A search service that maps an index file and looks up entries all over it. The file's pages count as resident memory of
// the process as well as against its group, and the kernel can drop every one of them.
//
// It prints its pprof address and ends by itself after -for.
//
//lab:limit 96MiB
//lab:seconds 14
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

var found int // what searches find, so that they are not optimised away

// open maps a new index of which no name is left.
func open(bytes int) []byte {
	file, err := os.CreateTemp("", "index-*")
	if err != nil {
		log.Fatal(err)
	}
	os.Remove(file.Name())
	block := make([]byte, 1<<20)
	for size := 0; size < bytes; size += len(block) {
		block[1]++
		if _, err := file.Write(block); err != nil {
			log.Fatal(err)
		}
	}
	index, err := syscall.Mmap(int(file.Fd()), 0, bytes, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		log.Fatal(err)
	}
	file.Close()
	return index
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	bytes := flag.Int("bytes", 84<<20, "of the index")
	perSecond := flag.Int("rate", 100, "searches a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	index := open(*bytes)
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		at := 0
		for range time.Tick(time.Second / time.Duration(*perSecond)) {
			for range 64 { // neighbouring pages of one word
				at = (at + 4096) % len(index)
				found += int(index[at])
			}
			answer := make([]byte, 16<<10)
			answer[0] = byte(found)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
