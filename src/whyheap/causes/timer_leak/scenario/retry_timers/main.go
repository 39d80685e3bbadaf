// A mail relay that plans a second attempt for each mail in advance, an hour later, and forgets to call it off when the
// first one works. It serves no endpoint, so it is observed from outside by its process id.
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
	"os"
	"time"
)

type mail struct {
	body  []byte
	retry *time.Timer
}

func (m *mail) deliver() int {
	for i := range m.body {
		m.body[i] = byte(i)
	}
	return len(m.body)
}

func relay(bodyBytes int) int {
	one := &mail{body: make([]byte, bodyBytes)}
	one.retry = time.AfterFunc(time.Hour, func() { one.deliver() })
	return one.deliver()
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	bodyBytes := flag.Int("body", 8<<10, "bytes of a mail")
	perSecond := flag.Int("rate", 560, "mails a second")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	sum, begun := 0, time.Now()
	for number := 0; ; number++ {
		for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
			time.Sleep(time.Millisecond)
		}
		sum += relay(*bodyBytes)
		line := make([]byte, 8<<10+number%2) // garbage, as any service makes
		line[0] = byte(sum)
	}
}
