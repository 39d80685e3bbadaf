// A mail gateway that spools into /dev/shm, which is memory and charged to its container. Its own memory limit, set in
// code, takes the whole container for Go. It serves no endpoint, so it is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 128MiB
//lab:second shared-memory
//lab:seconds 15
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

const containerBytes = 128 << 20

type mailbox struct {
	address string
	unread  []int
}

var seen int

// spool fills the spool file and removes its name at once: it goes when the process does.
func spool(size int) *os.File {
	file, err := os.CreateTemp("/dev/shm", "spool-*")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.Remove(file.Name()); err != nil {
		log.Fatal(err)
	}
	block := []byte(strings.Repeat("Received: from somewhere\r\n", 2500))
	for written := 0; written < size; written += len(block) {
		if _, err := file.Write(block); err != nil {
			log.Fatal(err)
		}
	}
	return file
}

// deliver takes a mail apart.
func deliver(number int) {
	mail := strings.Repeat(fmt.Sprint("Header-", number, ": value\r\n"), 600)
	seen += len(strings.Split(mail, "\r\n"))
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	spoolBytes := flag.Int("spool", 52<<20, "bytes of the spool")
	perSecond := flag.Int("rate", 350, "mails a second")
	flag.Parse()
	debug.SetGCPercent(300)
	debug.SetMemoryLimit(containerBytes)
	file := spool(*spoolBytes)
	boxes := make([]*mailbox, 160_000)
	for i := range boxes {
		boxes[i] = &mailbox{fmt.Sprintf("user%d@example.com", i), make([]int, 12)}
	}
	runtime.GC() // the collector knows now what is live
	defer file.Close()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	begun := time.Now()
	for number := 0; ; number++ {
		for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
			time.Sleep(time.Millisecond)
		}
		deliver(number)
		boxes[number%len(boxes)].unread[0]++
	}
}
