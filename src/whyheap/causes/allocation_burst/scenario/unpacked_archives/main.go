// A thumbnail service that unpacks each archive into memory before it looks at it. The archives are small; one of them is
// not when unpacked. It serves no endpoint, so it is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 96MiB
//lab:seconds 15
package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"os"
	"time"
)

// pack returns an archive of so many bytes, a thousand times smaller.
func pack(size int) []byte {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	piece := make([]byte, 64<<10)
	for written := 0; written < size; written += len(piece) {
		if _, err := writer.Write(piece); err != nil {
			panic(err)
		}
	}
	if err := writer.Close(); err != nil {
		panic(err)
	}
	return packed.Bytes()
}

// look unpacks an archive into a buffer that doubles as it fills, and counts.
func look(packed []byte) (count int) {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic(err)
	}
	var all bytes.Buffer
	if _, err := all.ReadFrom(reader); err != nil {
		panic(err)
	}
	for _, one := range all.Bytes() {
		count += int(one)
	}
	return count
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	bombBytes := flag.Int("bomb", 80<<20, "bytes of the largest archive, unpacked")
	flag.Parse()
	small, large := pack(256<<10), pack(*bombBytes)
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	for range 80 {
		look(small)
		time.Sleep(100 * time.Millisecond)
	}
	look(large)
	select {}
}
