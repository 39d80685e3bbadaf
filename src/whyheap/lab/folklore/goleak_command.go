// Claim: goleak is a command that scans packages for leaks and escapes, and -race injects it.
// Truth: It is a library that a TestMain calls. It compares goroutines and knows nothing of escapes. A program built
// with -race says nothing about the goroutine that it leaks.
// Probe: tool goleak
// Probe: race
// Predicts: tool_exit == 0, go has a tool of that name
// Predicts: race_reports > 0, a program built with -race reports its leaked goroutine
// Shows: goroutines, goroutines at the end of the program built with -race
package main

import (
	"fmt"
	"runtime"
	"time"
)

func main() {
	never := make(chan int)
	go func() { never <- 1 }()
	time.Sleep(20 * time.Millisecond)
	fmt.Println("goroutines", runtime.NumGoroutine())
}
