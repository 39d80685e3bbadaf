package main

import "syscall"

// blockingPipe returns the end of a pipe to read from: nothing ever comes, and the poller knows nothing of it.
func blockingPipe() uintptr {
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		panic(err)
	}
	return uintptr(ends[0])
}
