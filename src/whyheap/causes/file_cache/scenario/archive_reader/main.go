// A backup job that reads a large archive over and over to check it. What it reads stays in the page cache and counts
// against its group. It serves no endpoint, so it is observed from outside by its process id.
//
// It prints "ready" and ends by itself after -for.
//
//lab:limit 96MiB
//lab:seconds 14
package main

import (
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"os"
	"time"
)

// pack writes an archive that has no name, so that nothing is left behind.
func pack(bytes int) *os.File {
	archive, err := os.CreateTemp("", "archive-*")
	if err != nil {
		log.Fatal(err)
	}
	os.Remove(archive.Name())
	block := make([]byte, 1<<20)
	for size := 0; size < bytes; size += len(block) {
		block[0]++
		if _, err := archive.Write(block); err != nil {
			log.Fatal(err)
		}
	}
	return archive
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	bytes := flag.Int("bytes", 200<<20, "of the archive")
	perSecond := flag.Int("rate", 30, "MiB a second")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	archive := pack(*bytes)
	fmt.Println("ready")
	sum := crc32.NewIEEE()
	for range time.Tick(time.Second / time.Duration(*perSecond)) {
		if _, err := io.CopyN(sum, archive, 1<<20); err != nil {
			archive.Seek(0, io.SeekStart)
			sum.Reset()
		}
		if text := make([]byte, 64<<10); text[0] != 0 {
			log.Fatal("not zero")
		}
	}
}
