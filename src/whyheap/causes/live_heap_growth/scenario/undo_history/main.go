// An editor that keeps every version of a document: each version points to the one before it, so the newest one holds
// them all. A chain of pointers, held by one local variable.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 88MiB
//lab:seconds 16
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

type version struct {
	before *version
	text   []byte
}

// edit makes a new version from the one before.
func edit(before *version, number, textBytes int) *version {
	text := bytes.Repeat([]byte("draft "), textBytes/6)
	copy(text, fmt.Sprintf("version %d: ", number))
	return &version{before: before, text: text}
}

func render(one *version) int {
	html := append([]byte("<pre>"), one.text...)
	return len(append(html, "</pre>"...))
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	textBytes := flag.Int("text", 48<<10, "bytes of the document")
	perSecond := flag.Int("rate", 100, "edits a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		var newest *version
		sum, begun := 0, time.Now()
		for number := 0; ; number++ {
			for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			newest = edit(newest, number, *textBytes)
			sum += render(newest)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
