// Package testing gets this file through `go test -overlay`, for one run of whyheap test.
//
// It tells what tests leave behind: goroutines that run or wait when all tests are over, each with the test that left
// it, and what tests and benchmarks with a limit allocate. It never changes how a test ends: it writes what it saw as
// JSON lines into the folder that WHYHEAP_TEST names, and does nothing where that is not set. It starts no goroutine,
// keeps no file open, imports nothing that package testing does not depend on anyway, and takes the variable out of the
// environment, so that programs which a test starts are not looked at.
package testing

import (
	"internal/race"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	whyheapLargestStacks = 64 << 20 // as runtime/pprof's writeGoroutineStacks
	whyheapCheapStacks   = 1 << 20  // above it, goroutines are listed only after tests that left more of them
	whyheapLongestTrace  = 8 << 10
	whyheapMostReported  = 10_000
	whyheapMostListing   = 10 * time.Second // of all tests together
)

type whyheapGoroutine struct {
	id, creator int
	trace       string
}

// whyheapOwner says which test a goroutine belongs to, and how that is known.
type whyheapOwner struct{ test, how string }

// whyheapRun is one test that began, in the goroutine of that number, or one that has ended as a parallel test (0).
type whyheapRun struct {
	number int
	name   string
	next   *whyheapRun
}

type whyheapMeter struct{ before, after runtime.MemStats }

type whyheapRule struct {
	name  string
	parts []string
}

var whyheap struct {
	mu       sync.Mutex
	folder   string
	pid      string
	active   bool
	runner   int // the goroutine that called m.Run
	wait     time.Duration
	rules    []whyheapRule
	limits   map[string]bool
	unasked  bool // benchmarks run for their limits alone
	meters   map[*T]*whyheapMeter
	runs     *whyheapRun    // the last one first
	runners  map[int]string // goroutine that runs a test -> its name, made of runs
	known    map[int]bool   // goroutines that were there before the tests
	owners   map[int]whyheapOwner
	parallel []string
	unsure   bool // parallel tests have ended since the goroutines were last listed
	tests    int
	count    int // goroutines when they were last listed
	listing  time.Duration
	tooMany  bool
	stacks   []byte
	heap     uint64
	stack    uint64
	mostHeap uint64 // of a heap that is dumped; 0: none is
	dumps    int
	dump     string // the file with the heap as it was when goroutines were left, of that name in the folder
	undumped string // why there is none
}

func init() {
	folder, found := syscall.Getenv("WHYHEAP_TEST")
	if !found {
		return
	}
	syscall.Unsetenv("WHYHEAP_TEST")
	whyheap.folder = folder
	whyheap.pid = strconv.Itoa(syscall.Getpid())
	if folder, found := syscall.Getenv("WHYHEAP_GOTMPDIR"); found { // what it was before whyheap gave go one of its own
		syscall.Unsetenv("WHYHEAP_GOTMPDIR")
		syscall.Unsetenv("GOTMPDIR")
		if folder != "" {
			syscall.Setenv("GOTMPDIR", folder)
		}
	}
}

// whyheapStart takes the goroutines that are there before any test.
func whyheapStart(m *M) {
	if whyheap.folder == "" || *isFuzzWorker || *matchFuzz != "" {
		return
	}
	whyheap.wait = time.Second
	whyheap.limits = map[string]bool{}
	whyheap.meters = map[*T]*whyheapMeter{}
	whyheap.runners = map[int]string{}
	whyheap.known = map[int]bool{}
	whyheap.owners = map[int]whyheapOwner{}
	whyheap.runs, whyheap.tests, whyheap.parallel, whyheap.unsure = nil, 0, nil, false
	whyheap.rules, whyheap.mostHeap = nil, 0
	whyheap.dump, whyheap.undumped = "", ""
	path := m.deps.ImportPath()
	if path == "" { // files were named, not a package
		path = "command-line-arguments"
	}
	for _, line := range strings.Split(whyheapRead(whyheap.folder+"/settings"), "\n") {
		words := strings.Split(line, "\t")
		switch {
		case words[0] == "wait":
			whyheap.wait, _ = time.ParseDuration(words[1])
		case words[0] == "harmless":
			whyheap.rules = append(whyheap.rules, whyheapRule{words[1], words[2:]})
		case words[0] == "dump":
			whyheap.mostHeap, _ = strconv.ParseUint(words[1], 10, 64)
		case words[0] == "unasked":
			whyheap.unasked = true
		case words[0] == "limit" && words[1] == path:
			whyheap.limits[words[2]] = true
		}
	}
	if asked := m.benchmarks; whyheap.unasked { // other packages may have benchmarks of the same name
		m.benchmarks = nil
		for _, one := range asked {
			if whyheap.limits[one.Name] {
				m.benchmarks = append(m.benchmarks, one)
			}
		}
	}
	whyheapWrite(`{"kind":"start","package":` + whyheapQuote(path) + "}")
	for _, one := range whyheapGoroutines() {
		whyheap.known[one.id] = true
	}
	whyheap.stacks = nil
	whyheap.heap, whyheap.stack = whyheapMemory()
	whyheap.runner = whyheapNumber()
	whyheap.active = true
}

// whyheapBegin is called in the goroutine of a test, just before its function.
func whyheapBegin(t *T) {
	if !whyheap.active || t.level == 0 {
		return
	}
	whyheapRemember(&whyheapRun{number: whyheapNumber(), name: t.name})
	if t.level == 1 && whyheap.limits[t.name] {
		meter := new(whyheapMeter)
		whyheap.mu.Lock()
		whyheap.meters[t] = meter
		whyheap.mu.Unlock()
		runtime.ReadMemStats(&meter.before)
	}
}

// whyheapRemember keeps a run. To the race detector nothing of this is to be seen: our lock must not put tests in an
// order that they do not have without us, which would hide their races.
//
//go:norace
func whyheapRemember(run *whyheapRun) {
	race.Disable()
	whyheap.mu.Lock()
	run.next = whyheap.runs
	whyheap.runs = run
	whyheap.unsure = whyheap.unsure || run.number == 0
	whyheap.mu.Unlock()
	race.Enable()
}

// whyheapSort makes what whyheapRemember has kept easy to ask.
//
//go:norace
func whyheapSort() {
	for run := whyheap.runs; run != nil; run = run.next {
		if run.number == 0 {
			whyheap.parallel = append(whyheap.parallel, run.name)
		} else {
			whyheap.tests++
			whyheap.runners[run.number] = run.name
		}
	}
}

// whyheapEnd is called when the function of a test has returned or given up, before its cleanups.
func whyheapEnd(t *T) {
	if !whyheap.active || t.level == 0 {
		return
	}
	if t.level == 1 && t.isParallel {
		whyheapRemember(&whyheapRun{name: t.name})
	}
	if t.level != 1 || !whyheap.limits[t.name] {
		return
	}
	whyheap.mu.Lock()
	meter := whyheap.meters[t]
	whyheap.mu.Unlock()
	runtime.ReadMemStats(&meter.after)
	if t.Skipped() || t.Failed() { // which allocates for what it says
		return
	}
	whyheapWrite(`{"kind":"limit","name":` + whyheapQuote(t.name) +
		whyheapField("allocs", int64(meter.after.Mallocs-meter.before.Mallocs)) +
		whyheapField("bytes", int64(meter.after.TotalAlloc-meter.before.TotalAlloc)) +
		whyheapField("n", 1) +
		whyheapFlag("parallel", t.isParallel) + whyheapFlag("parallel_parts", len(t.sub) > 0) + "}")
}

// whyheapIsFirst says whether a test is one of m.Run's own: tests may call RunTests themselves, and side by side.
func whyheapIsFirst(t *T) bool {
	return whyheap.active && t.level == 1 && whyheapNumber() == whyheap.runner
}

// whyheapBeforeTest is called before the goroutine of a test is started.
func whyheapBeforeTest(t *T) {
	if whyheapIsFirst(t) {
		whyheapBefore()
	}
}

// whyheapAfter is called when a test is over, or has turned parallel: until then it ran alone.
func whyheapAfter(t *T) {
	if whyheapIsFirst(t) {
		whyheapOwn(whyheapOwner{t.name, "after"})
	}
}

// whyheapFuzz is called in the goroutine of a fuzz target, just before its function. Its seeds are tests.
func whyheapFuzz(f *F) {
	if whyheap.active {
		whyheapBefore()
		whyheapRemember(&whyheapRun{number: whyheapNumber(), name: f.name})
	}
}

// whyheapAfterFuzz is called when a fuzz target is over.
func whyheapAfterFuzz(f *F) {
	if whyheap.active {
		whyheapOwn(whyheapOwner{f.name, "after"})
	}
}

// whyheapBefore is called before what runs alone. What parallel tests have left in the meantime is not its own.
func whyheapBefore() {
	if whyheap.active && whyheapIsUnsure() {
		whyheapOwn(whyheapOwner{"", "parallel"})
	}
}

//go:norace
func whyheapIsUnsure() bool {
	race.Disable()
	whyheap.mu.Lock()
	unsure := whyheap.unsure
	whyheap.unsure = false
	whyheap.mu.Unlock()
	race.Enable()
	return unsure
}

// whyheapBenchmark is called with what a benchmark measured.
func whyheapBenchmark(b *B, r BenchmarkResult) {
	if !whyheap.active {
		return
	}
	name, _, _ := strings.Cut(b.name, "/")
	if whyheap.limits[name] && !b.failed {
		whyheapWrite(`{"kind":"limit","name":` + whyheapQuote(b.name) +
			whyheapField("allocs", r.AllocsPerOp()) + whyheapField("bytes", r.AllocedBytesPerOp()) +
			whyheapField("n", int64(r.N)) + "}")
	}
	whyheapOwn(whyheapOwner{b.name, "after"})
}

// whyheapExample is called when an example is over.
func whyheapExample(name string) {
	if whyheap.active {
		whyheapOwn(whyheapOwner{name, "after"})
	}
}

// whyheapOwn gives the goroutines that nobody owns yet to what ran last.
func whyheapOwn(owner whyheapOwner) {
	if len(whyheap.stacks) > whyheapCheapStacks && runtime.NumGoroutine() <= whyheap.count {
		return
	}
	if whyheap.listing > whyheapMostListing {
		whyheap.tooMany = true
		return
	}
	begun := time.Now()
	defer func() { whyheap.listing += time.Since(begun) }()
	whyheap.count = runtime.NumGoroutine()
	for _, one := range whyheapGoroutines() {
		if _, found := whyheap.owners[one.id]; !found && !whyheap.known[one.id] {
			whyheap.owners[one.id] = owner
		}
	}
}

// whyheapStop judges when all is over: what is still there after a while was left behind.
func whyheapStop(m *M) {
	if !whyheap.active {
		return
	}
	whyheap.active = false
	whyheapSort()
	begun := time.Now()
	left, harmless, children := whyheapLeft()
	witness, written, collected := false, false, false
	for pause := time.Millisecond; len(left) > 0; pause = min(2*pause, 50*time.Millisecond) {
		waited := time.Since(begun)
		if waited >= 20*time.Millisecond && !collected { // a finalizer or cleanup may end some
			runtime.GC()
			collected = true
		}
		if waited >= 50*time.Millisecond && !witness { // all stuck for ever: no use in waiting
			if whyheapMarksLeaked() && !written { // later it cannot be, if any is marked
				paused := time.Now()
				whyheapDump()
				begun = begun.Add(time.Since(paused)) // nobody could go on meanwhile
				written = true
			}
			witness = whyheapFindLeaked(m)
			left, harmless, children = whyheapLeft()
			if witness && whyheapAllLeaked(left) {
				break
			}
		}
		if waited >= whyheap.wait {
			break
		}
		time.Sleep(min(pause, whyheap.wait-waited))
		left, harmless, children = whyheapLeft()
	}
	waited := time.Since(begun)
	if len(left) == 0 {
		whyheapForget()
	} else {
		if !whyheapAnyLeaked(left) {
			whyheapDump()
		}
		witness = whyheapFindLeaked(m)
		left, harmless, children = whyheapLeft()
	}
	whyheap.stacks = nil
	heap, stack := whyheapMemory()
	living := map[int]int{}
	for _, one := range left {
		living[one.id] = one.creator
	}
	groups := map[string][]int{}
	var firsts []whyheapGoroutine
	for _, one := range left {
		owner := whyheapOwnerOf(one, living)
		key := owner.test + "\n" + owner.how + "\n" + whyheapPlaces(one.trace)
		groups[key] = append(groups[key], one.id)
		if len(groups[key]) == 1 {
			firsts = append(firsts, one)
		}
	}
	for i, one := range firsts {
		if i == whyheapMostReported {
			break
		}
		owner := whyheapOwnerOf(one, living)
		key := owner.test + "\n" + owner.how + "\n" + whyheapPlaces(one.trace)
		trace := one.trace
		if len(trace) > whyheapLongestTrace {
			at := strings.LastIndex(trace, "\ncreated by ")
			tail := ""
			if at >= 0 {
				tail = trace[at:]
			}
			trace = trace[:strings.LastIndexByte(trace[:whyheapLongestTrace], '\n')] + tail
		}
		whyheapWrite(`{"kind":"goroutine","test":` + whyheapQuote(owner.test) + `,"how":` + whyheapQuote(owner.how) +
			`,"trace":` + whyheapQuote(trace) + whyheapField("count", int64(len(groups[key]))) + whyheapNumbers("ids", groups[key]) + "}")
	}
	for _, name := range whyheap.parallel {
		whyheapWrite(`{"kind":"parallel","name":` + whyheapQuote(name) + "}")
	}
	counts := ""
	for _, rule := range whyheap.rules {
		if harmless[rule.name] > 0 {
			counts += "," + whyheapQuote(rule.name) + ":" + strconv.Itoa(harmless[rule.name])
		}
	}
	whyheapWrite(`{"kind":"end"` + whyheapField("exit", int64(m.exitCode)) + whyheapField("tests", int64(whyheap.tests)) +
		whyheapField("left", int64(len(left))) + whyheapField("children", int64(children)) +
		whyheapField("waited_ms", waited.Milliseconds()) +
		whyheapField("heap_before", int64(whyheap.heap)) + whyheapField("heap_after", int64(heap)) +
		whyheapField("stack_before", int64(whyheap.stack)) + whyheapField("stack_after", int64(stack)) +
		whyheapFlag("witness", witness) + whyheapFlag("too_many", whyheap.tooMany) +
		`,"dump":` + whyheapQuote(whyheap.dump) + `,"undumped":` + whyheapQuote(whyheap.undumped) +
		`,"harmless":{` + strings.TrimPrefix(counts, ",") + "}}")
}

func whyheapMemory() (heap, stack uint64) {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc, stats.StackInuse
}
