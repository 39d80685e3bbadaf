// A log reader that counts users: it turns each chunk of the log into a string and takes the user's name out of it as a
// substring. A new user's name is kept as a key, and with it the whole chunk.
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

type report struct {
	visits map[string]int
}

func (r *report) read(chunk []byte) {
	text := string(chunk)
	name := text[5:17]
	r.visits[name]++
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	chunkBytes := flag.Int("chunk", 16<<10, "bytes read at once")
	perSecond := flag.Int("rate", 300, "chunks a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		users, chunk, begun := &report{visits: map[string]int{}}, make([]byte, *chunkBytes), time.Now()
		for i := range chunk {
			chunk[i] = ' '
		}
		for number := 0; ; number++ {
			for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			copy(chunk, fmt.Sprintf("user=%012d GET /", number))
			users.read(chunk)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
