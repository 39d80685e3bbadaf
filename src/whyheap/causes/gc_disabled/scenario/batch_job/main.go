// A batch job that was started with GOGC=off because it "ends soon anyway". It keeps nothing, but nothing is collected.
// It serves no endpoint, so it is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 128MiB
//lab:env GOGC=off
//lab:seconds 15
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

var lines int

// process splits one record and counts its words.
func process(record int) {
	text := strings.Repeat(fmt.Sprint("word", record, " "), 400)
	lines += len(strings.Fields(text))
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 800, "records a second")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	begun := time.Now()
	for record := 0; ; record++ {
		for float64(record) > time.Since(begun).Seconds()*float64(*perSecond) {
			time.Sleep(time.Millisecond)
		}
		process(record)
	}
}
