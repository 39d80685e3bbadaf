// A catalogue of small objects that was given GOMEMLIMIT when it was smaller. It has grown since, to just below that
// limit; the container has room, but the collector runs without end.
//
// It prints its pprof address and ends by itself after -for.
//
//lab:limit 256MiB
//lab:env GOMEMLIMIT=64MiB
//lab:seconds 12
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"strings"
	"time"
)

type article struct {
	name, shelf string
	related     []*article
}

var reply int

func load(count int) map[int]*article {
	all := make(map[int]*article, count)
	for id := range count {
		one := &article{name: fmt.Sprint("article number ", id), shelf: fmt.Sprint("shelf ", id%1000)}
		for _, other := range []int{id / 2, id / 3, id / 5, id / 7} {
			if found := all[other]; found != nil {
				one.related = append(one.related, found)
			}
		}
		all[id] = one
	}
	return all
}

func show(all map[int]*article, id int) int {
	var page strings.Builder
	for _, other := range all[id%len(all)].related {
		fmt.Fprintf(&page, "<li>%s on %s</li>\n", other.name, other.shelf)
	}
	return len(strings.Repeat(page.String(), 40))
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	count := flag.Int("articles", 322_000, "articles in the catalogue")
	perSecond := flag.Int("rate", 1500, "requests a second")
	flag.Parse()
	all := load(*count)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		begun := time.Now()
		for id := 0; ; id++ {
			for float64(id) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			reply = show(all, id)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
