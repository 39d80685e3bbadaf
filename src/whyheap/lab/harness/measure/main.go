// Measure runs the functions of one example:
//
//	measure numbers SLUG FILE    writes allocations, bytes, time and collections per call as JSON
//	measure profile SLUG FILE    writes a heap profile of a few calls of each, every allocation sampled
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"testing"
	"time"

	"example.test/harness"
)

const (
	warmUps       = 3
	countedRuns   = 100
	benchmarks    = 3
	profiledRuns  = 16
	mostRuns      = 100_000
	mostTime      = 40 * time.Millisecond
	mostWaiting   = 2_000 // goroutines that an example leaves behind
	gcCheckedRuns = 64
)

// Numbers is what one function costs. GC figures are those of Runs calls in a row.
type Numbers struct {
	Name        string  `json:"name"`
	AllocsPerOp float64 `json:"allocs_per_op"`
	BytesPerOp  int64   `json:"bytes_per_op"`
	NsPerOp     float64 `json:"ns_per_op"`
	Runs        int     `json:"runs"`
	GCCycles    int64   `json:"gc_cycles"`
	GCPauseNs   int64   `json:"gc_pause_ns"`
	Error       string  `json:"error"`
}

func main() {
	testing.Init()
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: measure numbers|profile SLUG FILE")
		os.Exit(2)
	}
	log.SetOutput(io.Discard)
	functions, known := examples[os.Args[2]]
	if !known {
		fail(fmt.Errorf("no example %q", os.Args[2]))
	}
	if os.Args[1] == "profile" {
		profile(functions, os.Args[3])
		return
	}
	if err := flag.Set("test.benchtime", "200x"); err != nil {
		fail(err)
	}
	numbers := []Numbers{}
	for _, function := range functions {
		numbers = append(numbers, measured(function))
	}
	text, err := json.Marshal(numbers)
	if err != nil {
		fail(err)
	}
	if err := os.WriteFile(os.Args[3], text, 0o600); err != nil {
		fail(err)
	}
}

func measured(function harness.Function) (numbers Numbers) {
	numbers.Name = function.Name
	defer func() {
		if problem := recover(); problem != nil {
			numbers.Error = fmt.Sprint(problem)
		}
	}()
	run := function.Setup()
	for range warmUps {
		run()
	}
	numbers.AllocsPerOp = testing.AllocsPerRun(countedRuns, run)
	numbers.BytesPerOp = bytes(run)
	collected(run, &numbers)
	return numbers
}

// bytes returns the lowest of some benchmarks: the runtime's own allocations disturb them now and then.
func bytes(run func()) int64 {
	lowest := int64(-1)
	for range benchmarks {
		result := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; i < b.N; i++ {
				run()
			}
		})
		if found := result.AllocedBytesPerOp(); lowest < 0 || found < lowest {
			lowest = found
		}
	}
	return lowest
}

func collected(run func(), numbers *Numbers) {
	runtime.GC()
	var before, after debug.GCStats
	debug.ReadGCStats(&before)
	started := time.Now()
	runs := 0
	for runs < mostRuns && time.Since(started) < mostTime && runtime.NumGoroutine() < mostWaiting {
		for range gcCheckedRuns {
			run()
		}
		runs += gcCheckedRuns
	}
	spent := time.Since(started)
	debug.ReadGCStats(&after)
	numbers.Runs = runs
	numbers.GCCycles = after.NumGC - before.NumGC
	numbers.GCPauseNs = int64(after.PauseTotal - before.PauseTotal)
	numbers.NsPerOp = float64(spent.Nanoseconds()) / float64(max(runs, 1))
}

func profile(functions []harness.Function, name string) {
	runtime.MemProfileRate = 1
	for _, function := range functions {
		func() {
			defer func() { _ = recover() }()
			run := function.Setup()
			for range profiledRuns {
				run()
			}
		}()
	}
	runtime.GC() // the profile shows what was allocated before the last two collections
	runtime.GC()
	file, err := os.Create(name)
	if err != nil {
		fail(err)
	}
	if err := pprof.Lookup("allocs").WriteTo(file, 0); err != nil {
		fail(err)
	}
	if err := file.Close(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "measure:", err)
	os.Exit(1)
}
