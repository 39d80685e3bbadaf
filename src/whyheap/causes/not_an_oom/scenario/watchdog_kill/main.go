// A service whose watchdog, a process of its own, asks for a sign of life and kills it when none comes in time: exit code
// 137, as after an OOM kill, with most of the memory free.
//
// It prints its pprof address, is killed by its watchdog, or ends by itself after -for.
//
//lab:limit 128MiB
//lab:seconds 16
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// watch reads a byte for each sign of life, and kills its parent two seconds after the last.
func watch() {
	signs := make(chan byte)
	go func() {
		for one := []byte{0}; ; {
			if _, err := os.Stdin.Read(one); err != nil {
				os.Exit(0)
			}
			signs <- one[0]
		}
	}()
	for {
		select {
		case <-signs:
		case <-time.After(2 * time.Second):
			syscall.Kill(os.Getppid(), syscall.SIGKILL)
			os.Exit(0)
		}
	}
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	isWatchdog := flag.Bool("watch", false, "be the watchdog")
	silentAfter := flag.Duration("silent", 7*time.Second, "until no sign of life is given any more")
	flag.Parse()
	if *isWatchdog {
		watch()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	watchdog := exec.Command(os.Args[0], "-watch")
	signs, err := watchdog.StdinPipe()
	if err == nil {
		err = watchdog.Start()
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	begun := time.Now()
	go func() {
		recent := make([][]byte, 100)
		for number := 0; ; number++ {
			recent[number%len(recent)] = make([]byte, 128<<10)
			if time.Since(begun) < *silentAfter {
				signs.Write([]byte{1})
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
