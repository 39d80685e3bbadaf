// A batch service whose manifest was copied from a larger one: GOGC=off and a GOMEMLIMIT of 512 MiB, in a container of a
// quarter of that. It keeps little, and is killed long before the collector sees a reason to run. It serves no endpoint,
// so it is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 128MiB
//lab:env GOMEMLIMIT=512MiB
//lab:env GOGC=off
//lab:seconds 15
package main

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"time"
)

var last string

// digest turns a block into text.
func digest(block int) {
	raw := make([]byte, 16<<10)
	for i := range raw {
		raw[i] = byte(block * i)
	}
	last = hex.EncodeToString(raw)
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 140, "blocks a second")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	begun := time.Now()
	for block := 0; ; block++ {
		for float64(block) > time.Since(begun).Seconds()*float64(*perSecond) {
			time.Sleep(time.Millisecond)
		}
		digest(block)
	}
}
