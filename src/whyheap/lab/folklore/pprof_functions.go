// Claim: go tool pprof --functions=.*Handler shows only handlers, and why their values escape.
// Truth: -functions is a switch for the granularity and takes no pattern: the command is refused. -focus filters. A
// profile holds stacks and bytes; it knows no reasons.
// Probe: pprof
// Predicts: functions_exit == 0, the command with -functions=.*Handler runs
// Predicts: escape_words > 0, pprof's output speaks of escapes
// Shows: focus_exit, exit status with -focus=.*Handler
// Shows: focus_others, functions other than handlers that -focus lists with bytes of their own
package main

import (
	"os"
	"runtime"
	"runtime/pprof"
)

var kept [][]byte

//go:noinline
func ShopHandler() { kept = append(kept, make([]byte, 1<<20)) }

//go:noinline
func refresh() { kept = append(kept, make([]byte, 1<<20)) }

func main() {
	runtime.MemProfileRate = 1
	for i := 0; i < 8; i++ {
		ShopHandler()
		refresh()
	}
	runtime.GC()
	file, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	if err := pprof.Lookup("heap").WriteTo(file, 0); err != nil {
		panic(err)
	}
	if err := file.Close(); err != nil {
		panic(err)
	}
}
