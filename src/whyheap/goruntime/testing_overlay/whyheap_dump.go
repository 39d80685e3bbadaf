package testing

// The heap as it is while goroutines that tests left are there: whyheap reads from it what they keep alive.

import (
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	whyheapMostTries   = 20
	whyheapMostObjects = 5_000_000
)

// whyheapMarksLeaked says whether this Go marks goroutines as leaked (Go 1.26): runtime.dumpgs, which knows neither that
// state nor a thread that comes back from a system call just then, ends the process where it meets one.
func whyheapMarksLeaked() bool {
	for _, old := range []string{"go1.22", "go1.23", "go1.24", "go1.25"} {
		if strings.HasPrefix(runtime.Version(), old) {
			return false
		}
	}
	return true
}

// whyheapDump writes the heap, in place of what it wrote before, or says why it does not.
func whyheapDump() {
	whyheapForget()
	if whyheap.mostHeap == 0 {
		return
	}
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	if stats.HeapAlloc > whyheap.mostHeap || stats.HeapObjects > whyheapMostObjects {
		whyheap.undumped = "the heap has " + strconv.FormatUint(stats.HeapAlloc>>20, 10) + " MiB in " +
			strconv.FormatUint(stats.HeapObjects, 10) + " objects, and up to " +
			strconv.FormatUint(whyheap.mostHeap>>20, 10) + " MiB in " + strconv.Itoa(whyheapMostObjects) + " are looked at"
		return
	}
	if whyheapMarksLeaked() {
		busy := "a goroutine"
		for try := 0; busy != "" && try < whyheapMostTries; try++ {
			if try > 0 {
				time.Sleep(5 * time.Millisecond)
			}
			busy = whyheapBusy()
		}
		if busy != "" {
			whyheap.undumped = busy + ", and with one this Go cannot write its heap"
			return
		}
	}
	whyheap.dumps++
	name := "heap-" + whyheap.pid + "-" + strconv.Itoa(whyheap.dumps) + ".dump"
	path := whyheap.folder + "/" + name
	file, err := syscall.Open(path, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_TRUNC|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		whyheap.undumped = "no file for it: " + err.Error()
		return
	}
	debug.WriteHeapDump(uintptr(file))
	syscall.Close(file)
	whyheap.dump = name
}

// whyheapForget removes the heap that was written.
func whyheapForget() {
	if whyheap.dump != "" {
		syscall.Unlink(whyheap.folder + "/" + whyheap.dump)
	}
	whyheap.dump, whyheap.undumped = "", ""
}

// whyheapBusy says what hinders a dump from Go 1.26 on. os/signal's goroutine comes back only when a signal comes.
func whyheapBusy() string {
	self := whyheapNumber()
	for _, one := range whyheapGoroutines() {
		header, _, _ := strings.Cut(one.trace, "\n")
		_, state, _ := strings.Cut(header, "[")
		switch {
		case one.id == self || strings.Contains(one.trace, "\nos/signal.signal_recv("):
		case strings.Contains(state, "(leaked)"):
			return "a goroutine is marked as leaked"
		case strings.HasPrefix(state, "running"), strings.HasPrefix(state, "runnable"):
			return "a goroutine is running"
		case strings.HasPrefix(state, "syscall"):
			return "a goroutine is in a system call"
		}
	}
	return ""
}
