// A service whose templates may include each other. Two of them do so in a circle, and the goroutine's stack meets the
// limit that the program has set (debug.SetMaxStack): the runtime ends it with exit code 2. It serves no endpoint, so it
// is observed from outside by its process id.
//
// It prints "ready" and ends by itself after -for.
//
//lab:limit 256MiB
//lab:seconds 16
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

type template struct {
	text    string
	include *template
}

// render writes a template and what it includes.
func (t *template) render(out []byte) []byte {
	if t == nil {
		return out
	}
	line := [64]byte{}
	copy(line[:], t.text)
	out = t.include.render(out[:0])
	return append(out, line[:]...)
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	after := flag.Duration("after", 7*time.Second, "until the circle is closed")
	flag.Parse()
	debug.SetMaxStack(64 << 20)
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	page, menu := &template{text: "page"}, &template{text: "menu"}
	page.include = menu
	begun := time.Now()
	for {
		if time.Since(begun) > *after {
			menu.include = page
		}
		page.render(make([]byte, 0, 32<<10))
		time.Sleep(5 * time.Millisecond)
	}
}
