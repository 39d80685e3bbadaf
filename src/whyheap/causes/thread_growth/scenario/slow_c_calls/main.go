// A service that looks names up through a C library which waits for an answer that does not come: a thread for each call
// that is under way, with the C library's stack.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 64MiB
//lab:seconds 16
//lab:second goroutine-leak
package main

/*
#include <string.h>
#include <unistd.h>

static int lookup(int name) {
	char answer[8192];
	memset(answer, name, sizeof answer);
	sleep(300);
	return answer[name & 63];
}
*/
import "C"

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

func lookup(name int) int { return int(C.lookup(C.int(name))) }

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 100, "names a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		name := 0
		for range time.Tick(time.Second / time.Duration(*perSecond)) {
			name++
			go lookup(name)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
