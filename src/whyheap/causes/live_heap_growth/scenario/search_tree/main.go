// An index of words that is only ever added to: a binary tree of nodes with their postings. It serves no endpoint, so it
// is observed from outside by its process id.
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

type node struct {
	word        uint32
	left, right *node
	postings    []uint64
}

type index struct {
	root *node
}

func (t *index) insert(word uint32, postings []uint64) {
	at := &t.root
	for *at != nil {
		if word < (*at).word {
			at = &(*at).left
		} else {
			at = &(*at).right
		}
	}
	*at = &node{word: word, postings: postings}
}

// read returns the postings of a document: numbers that are written, so that their memory is charged.
func read(document, count int) []uint64 {
	postings := make([]uint64, count)
	for i := range postings {
		postings[i] = uint64(document + i)
	}
	return postings
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	count := flag.Int("postings", 1024, "postings of a document")
	perSecond := flag.Int("rate", 600, "documents a second")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	words, begun, garbage := &index{}, time.Now(), 0
	for document := 0; ; document++ {
		for float64(document) > time.Since(begun).Seconds()*float64(*perSecond) {
			time.Sleep(time.Millisecond)
		}
		words.insert(uint32(document)*2654435761, read(document, *count))
		garbage += len(read(document+garbage, *count))
	}
}
