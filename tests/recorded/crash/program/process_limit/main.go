// Command process_limit pins goroutines to threads until the user may have no more (RLIMIT_NPROC).
package main

import (
	"runtime"
	"time"
)

func pin() {
	runtime.LockOSThread()
	time.Sleep(time.Hour)
}

func main() {
	for i := 0; i < 100; i++ {
		go pin()
	}
	time.Sleep(5 * time.Second)
}
