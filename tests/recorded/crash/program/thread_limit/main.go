// Command thread_limit locks a goroutine to a thread of its own again and again, up to a limit of 12 threads.
package main

import (
	"runtime"
	"runtime/debug"
	"time"
)

func pin() {
	runtime.LockOSThread()
	time.Sleep(time.Hour)
}

func main() {
	debug.SetMaxThreads(12)
	for i := 0; i < 20; i++ {
		go pin()
	}
	time.Sleep(5 * time.Second)
}
