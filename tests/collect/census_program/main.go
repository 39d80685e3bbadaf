// A program that holds still: it reads its own MemStats, says "ready", waits for a line, and only then prints what it
// read. Between "ready" and the line nothing of it allocates, so that a census can be held against its own words.

package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

type node struct {
	next  *node
	value [5]int
}

var (
	blocks  [][]byte
	list    *node
	index   = map[int]*node{}
	timers  []*time.Timer
	stats   runtime.MemStats
	samples = []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/gc/scan/globals:bytes"},
		{Name: "/gc/scan/stack:bytes"},
		{Name: "/gc/limiter/last-enabled:gc-cycle"},
		{Name: "/gc/gogc:percent"},
		{Name: "/gc/gomemlimit:bytes"},
		{Name: "/sched/gomaxprocs:threads"},
		{Name: "/gc/finalizers/queued:objects"},
		{Name: "/gc/finalizers/executed:objects"},
		{Name: "/cpu/classes/gc/total:cpu-seconds"},
		{Name: "/cgo/go-to-c-calls:calls"},
	}
)

func fill(mebibytes, largest int) {
	for held := 0; held < mebibytes<<20; {
		size := 1 + int(uint32(held)*7919%uint32(largest))
		blocks = append(blocks, make([]byte, size))
		held += size
		if len(blocks)%8 == 0 {
			list = &node{next: list}
			index[len(blocks)] = list
		}
	}
	for at := 0; at < len(blocks); at += 3 { // garbage that some later collection sweeps
		blocks[at] = nil
	}
}

func park(count int) {
	never := make(chan int)
	var lock sync.Mutex
	lock.Lock()
	for number := 0; number < count; number++ {
		switch number % 3 {
		case 0:
			go func() { <-never }()
		case 1:
			go lock.Lock()
		default:
			go time.Sleep(time.Hour)
		}
	}
	for number := 0; number < count; number++ {
		timers = append(timers, time.AfterFunc(time.Hour, func() {}))
	}
}

// churn allocates without end, a little at a time.
func churn() {
	for {
		for number := 0; number < 200; number++ {
			blocks[number%len(blocks)] = make([]byte, number*37)
		}
		time.Sleep(time.Millisecond)
	}
}

func value(sample metrics.Sample) any {
	switch sample.Value.Kind() {
	case metrics.KindUint64:
		return sample.Value.Uint64()
	case metrics.KindFloat64:
		return sample.Value.Float64()
	default:
		return nil
	}
}

func main() {
	mebibytes := flag.Int("heap", 30, "MiB to fill the heap with")
	largest := flag.Int("largest", 40000, "bytes of the largest block to fill it with")
	goroutines := flag.Int("goroutines", 90, "goroutines that wait")
	busy := flag.Bool("busy", false, "go on allocating")
	limit := flag.Int64("limit", 0, "GOMEMLIMIT in bytes, 0 for none")
	flag.Parse()
	debug.SetGCPercent(80)
	if *limit > 0 {
		debug.SetMemoryLimit(*limit)
	}
	for number := 0; number < 100; number++ {
		runtime.SetFinalizer(&node{}, func(*node) {})
	}
	runtime.GC()
	fill(*mebibytes, *largest)
	park(*goroutines)
	time.Sleep(50 * time.Millisecond)
	if *busy {
		go churn()
	}

	input := bufio.NewReaderSize(os.Stdin, 16)
	output := json.NewEncoder(os.Stdout)
	ready := []byte("ready\n")
	for {
		metrics.Read(samples)
		runtime.ReadMemStats(&stats)
		os.Stdout.Write(ready)
		if _, err := input.ReadSlice('\n'); err != nil {
			return
		}
		told := map[string]any{"MemStats": stats, "NumGoroutine": runtime.NumGoroutine(), "Timers": len(timers)}
		for _, sample := range samples {
			told[sample.Name] = value(sample)
		}
		output.Encode(told)
	}
}
