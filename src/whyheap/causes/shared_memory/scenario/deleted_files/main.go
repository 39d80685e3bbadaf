// A service that spools uploads into /dev/shm, deletes the files, and keeps them open: a tmpfs is memory, and its pages
// are charged until the last descriptor is closed. They are in no process's resident memory.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 128MiB
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

// spool writes a body to a file that has no name any more.
func spool(body []byte) *os.File {
	file, err := os.CreateTemp("/dev/shm", "upload-*")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.Remove(file.Name()); err != nil {
		log.Fatal(err)
	}
	if _, err := file.Write(body); err != nil {
		log.Fatal(err)
	}
	return file
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	bytes := flag.Int("bytes", 1<<20, "of one upload")
	perSecond := flag.Int("rate", 12, "uploads a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		var open []*os.File
		for range time.Tick(time.Second / time.Duration(*perSecond)) {
			open = append(open, spool(make([]byte, *bytes)))
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
