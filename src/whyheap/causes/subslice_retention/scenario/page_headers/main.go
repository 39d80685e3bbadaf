// A crawler that keeps the first 64 bytes of each page to recognise it. The bytes are a view of the page's buffer, so
// the whole buffer stays: 64 KiB for 64 bytes.
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

type crawler struct {
	heads [][]byte
}

// visit reads a page and keeps its head.
func (c *crawler) visit(number int) int {
	page := make([]byte, 64<<10)
	for i := range page {
		page[i] = byte(i + number)
	}
	c.heads = append(c.heads, page[:64])
	return int(page[len(page)-1])
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 75, "pages a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		robot, sum, begun := &crawler{}, 0, time.Now()
		for number := 0; ; number++ {
			for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			sum += robot.visit(number)
			parsed := make([]byte, 32<<10+number%2) // garbage, as any service makes
			parsed[0] = byte(sum)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
