// Healthy: a full cache that evicts its oldest entry for each new one, of changing sizes.
package main

import (
	"fmt"
	"log"
	"math/rand"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

const entries = 1500

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(2*time.Minute, func() { os.Exit(0) })
	go func() {
		cache := make(map[int][]byte, entries)
		for key := 0; ; key++ {
			cache[key] = make([]byte, 1024+rand.Intn(64<<10))
			delete(cache, key-entries)
			if key > entries {
				time.Sleep(time.Millisecond)
			}
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
