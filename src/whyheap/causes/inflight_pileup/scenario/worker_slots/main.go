// An importer that starts a goroutine for each file, and lets eight at a time parse: the others wait for a token with the
// file's bytes read already. It serves no endpoint, so it is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 88MiB
//lab:seconds 16
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

type importer struct {
	tokens chan int
	rows   chan int
}

func (i *importer) load(size int) {
	text := make([]byte, size)
	for at := range text {
		text[at] = byte(at)
	}
	token := <-i.tokens
	time.Sleep(time.Duration(70+token*9) * time.Millisecond) // parsing
	i.rows <- int(text[1])
	i.tokens <- token
}

func (i *importer) count() (sum int) {
	for rows := range i.rows {
		sum += rows
	}
	return sum
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	size := flag.Int("size", 32<<10, "bytes of a file")
	perSecond := flag.Int("rate", 200, "files a second")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	all := &importer{tokens: make(chan int, 8), rows: make(chan int)}
	for token := range 8 {
		all.tokens <- token
	}
	go all.count()
	for range time.Tick(time.Second / time.Duration(*perSecond)) {
		go all.load(*size)
	}
}
