// A service whose C library waits in many calls at once, each on a thread with 8 MiB of address space for its stack, under
// a limit of address space (ulimit -v). Little of it is resident when no further thread can be made.
//
// It prints its pprof address, ends by SIGABRT, or by itself after -for.
//
//lab:rlimit as=6GiB
//lab:seconds 20
//lab:second thread-growth
//lab:second goroutine-leak
package main

/*
#include <unistd.h>

static int query(int number) {
	sleep(300);
	return number;
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

func query(number int) int { return int(C.query(C.int(number))) }

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 50, "queries a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		number := 0
		for range time.Tick(time.Second / time.Duration(*perSecond)) {
			number++
			go query(number)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
