// A collector that reads from pipes by plain system calls, which the runtime cannot wait for: each read without an answer
// holds a thread. It serves no endpoint, so it is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 64MiB
//lab:seconds 16
//lab:second goroutine-leak
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"syscall"
	"time"
)

// listen reads one message of a sensor that may never send one.
func listen(descriptor int, messages chan<- []byte) {
	message := make([]byte, 64)
	count, err := syscall.Read(descriptor, message)
	if err != nil {
		log.Fatal(err)
	}
	messages <- message[:count]
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 120, "reads a second")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	var sensor [2]int
	if err := syscall.Pipe(sensor[:]); err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready")
	messages := make(chan []byte, 16)
	go func() {
		for message := range messages {
			fmt.Fprintln(os.Stderr, len(message))
		}
	}()
	for range time.Tick(time.Second / time.Duration(*perSecond)) {
		go listen(sensor[0], messages)
	}
}
