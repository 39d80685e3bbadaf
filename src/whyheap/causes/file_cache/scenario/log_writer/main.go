// A service that writes a long journal to disk. The kernel keeps what was written as page cache and charges it to the
// group up to its limit: the memory graph climbs to the top and stays there, and nothing is wrong.
//
// It prints its pprof address and ends by itself after -for.
//
//lab:limit 96MiB
//lab:seconds 14
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

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 20, "MiB a second")
	most := flag.Int("most", 320, "MiB in the journal, before it begins anew")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	journal, err := os.CreateTemp("", "journal-*")
	if err != nil {
		log.Fatal(err)
	}
	os.Remove(journal.Name()) // nothing is left behind, however it ends
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		written := 0
		for range time.Tick(time.Second / time.Duration(*perSecond)) {
			entry := make([]byte, 1<<20)
			if _, err := journal.Write(entry); err != nil {
				log.Fatal(err)
			}
			if written++; written%*most == 0 {
				journal.Seek(0, 0)
			}
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
