// A replica that copies a fixed data set during its first seconds and then serves it. The data set with its index is as
// large as the container, though a memory limit keeps the collector at work.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 96MiB
//lab:env GOMEMLIMIT=86MiB
//lab:second gc-thrash
//lab:seconds 15
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

type record struct {
	key   string
	value string
	next  *record
}

type replica struct {
	byKey  map[string]*record
	newest *record
}

func (r *replica) copyOne(id int) {
	one := &record{key: fmt.Sprint("key-", id), value: strings.Repeat("v", 1000), next: r.newest}
	r.byKey[one.key], r.newest = one, one
}

func (r *replica) serve(id int) int {
	one := r.byKey[fmt.Sprint("key-", id%len(r.byKey))]
	return len(strings.ToUpper(one.value)) + len(one.key)
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	records := flag.Int("records", 68_000, "records in the data set")
	perSecond := flag.Int("rate", 2000, "queries a second")
	flag.Parse()
	all := &replica{byKey: make(map[string]*record, *records)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		begun := time.Now()
		for id := range *records {
			all.copyOne(id)
			for float64(id) > time.Since(begun).Seconds()*float64(*records)/3 {
				time.Sleep(time.Millisecond)
			}
		}
		begun = time.Now()
		for id := 0; ; id++ {
			for float64(id) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			all.serve(id)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
