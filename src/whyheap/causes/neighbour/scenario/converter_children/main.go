// A service that hands each document to a converter, a process of its own in the same group. The converter needs more
// the longer it runs and is killed; the service stays small, sees a failed job, and starts the next converter. It serves
// no endpoint, so it is observed from outside by its process id.
//
// It prints "ready" and ends by itself after -for.
//
//lab:limit 96MiB
//lab:seconds 16
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// convert is the child: it keeps every page that it has rendered.
func convert(perSecond int) {
	pages := map[int][]byte{}
	for range time.Tick(time.Second / time.Duration(perSecond)) {
		page := make([]byte, 512<<10)
		for at := range page {
			page[at] = byte(at)
		}
		pages[len(pages)] = page
	}
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	converter := flag.Bool("convert", false, "be the converter")
	perSecond := flag.Int("rate", 24, "pages a second")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	if *converter {
		convert(*perSecond)
	}
	fmt.Println("ready")
	go func() {
		for {
			child := exec.Command(os.Args[0], "-convert", fmt.Sprintf("-for=%s", *lifetime))
			child.Run() // the document is lost
		}
	}()
	for number := 0; ; number++ {
		job := make([]byte, 32<<10)
		job[number%len(job)] = 1
		time.Sleep(10 * time.Millisecond)
	}
}
