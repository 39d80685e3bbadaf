// A program that holds as much of Go's runtime as a service does. It is built with debug information by the same Go as
// a stripped program, and never run: its structs lie as the other's do, and its functions name the same variables.

package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

type object struct{ next *object }

func main() {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	debug.SetGCPercent(100)
	debug.SetMemoryLimit(1 << 40)
	debug.SetMaxStack(1 << 30)
	debug.SetMaxThreads(100)
	debug.FreeOSMemory()
	debug.WriteHeapDump(os.Stdout.Fd())
	debug.PrintStack()
	metrics.Read(make([]metrics.Sample, 1))

	records := make([]runtime.MemProfileRecord, 10)
	runtime.MemProfile(records, true)
	runtime.BlockProfile(nil)
	runtime.MutexProfile(nil)
	runtime.ThreadCreateProfile(nil)
	runtime.GoroutineProfile(make([]runtime.StackRecord, 10))
	runtime.SetBlockProfileRate(1)
	runtime.SetMutexProfileFraction(1)
	runtime.Stack(make([]byte, 100), true)

	kept := &object{}
	runtime.SetFinalizer(kept, func(o *object) { println(o) })
	runtime.GC()
	runtime.KeepAlive(kept)
	println(runtime.NumGoroutine(), runtime.NumCgoCall(), runtime.GOMAXPROCS(2), runtime.NumCPU())

	words := make(chan string)
	ticker := time.NewTicker(time.Second)
	time.AfterFunc(time.Second, func() { words <- "late" })
	go func() {
		runtime.LockOSThread()
		defer func() { words <- recover().(string) }()
		panic("on purpose")
	}()
	select {
	case word := <-words:
		println(word)
	case <-ticker.C:
		ticker.Reset(time.Minute)
	case <-time.After(time.Minute):
		ticker.Stop()
	}
}
