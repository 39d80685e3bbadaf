// An importer that decodes 512 rows at once and remembers the newest of each batch by a pointer into it: one row is
// wanted, the array of 512 is kept.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 88MiB
//lab:seconds 16
//lab:or live-heap-growth
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

type row struct {
	id     int
	amount float64
	text   [112]byte
}

type ledger struct {
	newest map[int]*row
}

func (l *ledger) load(batch int) {
	rows := make([]row, 512)
	for i := range rows {
		rows[i].id = batch*len(rows) + i
		rows[i].amount = float64(i) / 3
	}
	l.newest[batch] = &rows[len(rows)-1]
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 75, "batches a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		books, begun := &ledger{newest: map[int]*row{}}, time.Now()
		for batch := 0; ; batch++ {
			for float64(batch) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			books.load(batch)
			answer := make([]byte, 32<<10+batch%2) // garbage, as any service makes
			answer[0] = byte(batch)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
