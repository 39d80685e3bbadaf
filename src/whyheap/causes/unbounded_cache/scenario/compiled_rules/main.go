// A filter that compiles each rule once and keeps it in a package-level map; the rules hold the customer's number, so
// each is new. It links net/http/pprof and serves it nowhere: it is observed from outside by its process id, which reads the heap
// profile as well.
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
	"regexp"
	"time"
)

var compiled = map[string]*regexp.Regexp{}

func rule(text string) *regexp.Regexp {
	one, ok := compiled[text]
	if !ok {
		one = regexp.MustCompile(text)
		compiled[text] = one
	}
	return one
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 1200, "orders a second")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	found, begun := 0, time.Now()
	for order := 0; ; order++ {
		for float64(order) > time.Since(begun).Seconds()*float64(*perSecond) {
			time.Sleep(time.Millisecond)
		}
		if rule(fmt.Sprintf("customer-%d-(paid|open|late)-[0-9]{4}", order)).MatchString("customer-7-paid-0815") {
			found++
		}
	}
}
