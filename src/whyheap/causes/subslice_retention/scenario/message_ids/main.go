// A broker that remembers which messages it has seen by the last 16 bytes of each, a view of the message's buffer. It
// links net/http/pprof but serves it nowhere: it is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 88MiB
//lab:seconds 16
//lab:or live-heap-growth
package main

import (
	"flag"
	"fmt"
	_ "net/http/pprof"
	"os"
	"time"
)

type seen struct {
	ids [][]byte
	old *seen
}

// receive returns the seen ones with this message's id added, in blocks of 128.
func receive(ids *seen, number int) *seen {
	message := make([]byte, 32<<10)
	for i := range message {
		message[i] = byte(i ^ number)
	}
	if len(ids.ids) == cap(ids.ids) {
		ids = &seen{ids: make([][]byte, 0, 128), old: ids}
	}
	ids.ids = append(ids.ids, message[len(message)-16:])
	return ids
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 150, "messages a second")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	ids, begun := &seen{}, time.Now()
	for number := 0; ; number++ {
		for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
			time.Sleep(time.Millisecond)
		}
		ids = receive(ids, number)
		answer := make([]byte, 32<<10+number%2) // garbage, as any service makes
		answer[0] = byte(number)
	}
}
