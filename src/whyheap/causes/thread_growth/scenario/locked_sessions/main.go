// A service that locks a goroutine to a thread for each device session, because a driver wants it, and never ends one:
// each keeps a thread of the system.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 64MiB
//lab:seconds 16
//lab:second goroutine-leak
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"time"
)

type session struct{ commands chan string }

// open starts the thread that talks to a device.
func open() *session {
	made := &session{make(chan string)}
	go func() {
		runtime.LockOSThread()
		for command := range made.commands {
			fmt.Fprintln(os.Stderr, command)
		}
	}()
	return made
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 120, "sessions a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		for range time.Tick(time.Second / time.Duration(*perSecond)) {
			open()
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
