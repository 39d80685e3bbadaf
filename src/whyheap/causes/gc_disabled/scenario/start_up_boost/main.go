// A service that switches the collector off while it loads its configuration, to start faster, and returns early without
// switching it on again. The environment says nothing of it.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 128MiB
//lab:seconds 15
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime/debug"
	"time"
)

type order struct {
	ID    int      `json:"id"`
	Lines []string `json:"lines"`
}

// configure loads the configuration; a missing file is fine, says the caller.
func configure() error {
	percent := debug.SetGCPercent(-1)
	if _, err := os.ReadFile("/nonexistent/settings.json"); err != nil {
		return err
	}
	debug.SetGCPercent(percent)
	return nil
}

// answer decodes an order and encodes it again, as any handler does.
func answer(id int) int {
	one := order{ID: id}
	for line := range 60 {
		one.Lines = append(one.Lines, fmt.Sprint("article ", id, " number ", line))
	}
	text, err := json.Marshal(one)
	if err != nil {
		return 0
	}
	var again order
	if err := json.Unmarshal(text, &again); err != nil {
		return 0
	}
	return len(again.Lines)
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 1000, "requests a second")
	flag.Parse()
	if err := configure(); err != nil && !errors.Is(err, os.ErrNotExist) {
		log.Fatal(err)
	}
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
			answer(id)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
