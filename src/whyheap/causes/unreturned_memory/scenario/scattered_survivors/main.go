// A service that loads one table after the other, each with rows of another size, and keeps one row of every page of
// memory: a span of the heap with one survivor cannot be given back, nor used for rows of another size.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 128MiB
//lab:seconds 20
//lab:second gc-headroom
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"time"
)

// load reads a table and returns the few rows that are still wanted afterwards, one of each 8 KiB.
func load(bytes, rowBytes int) [][]byte {
	var wanted [][]byte
	rows := make([][]byte, 0, bytes/rowBytes)
	for number := range bytes / rowBytes {
		row := make([]byte, rowBytes)
		row[0] = byte(number)
		rows = append(rows, row)
	}
	for number := 0; number < len(rows); number += max(8192/rowBytes, 1) {
		wanted = append(wanted, rows[number])
	}
	return wanted
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	tableBytes := flag.Int("table", 12<<20, "bytes of one table")
	every := flag.Duration("every", 1200*time.Millisecond, "between two tables")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		var wanted [][][]byte
		for _, rowBytes := range []int{64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 480, 512} {
			wanted = append(wanted, load(*tableBytes, rowBytes))
			time.Sleep(*every)
		}
		time.Sleep(*lifetime)
		runtime.KeepAlive(wanted)
	}()
	log.Fatal(http.Serve(listener, nil))
}
