package corpus

import "sync"

var mutex sync.Mutex
var shared sync.RWMutex
var group sync.WaitGroup
var done = make(chan empty, 64)

//go:noinline
func DefersUnlock(n int) int {
	mutex.Lock()
	defer mutex.Unlock()
	sinkNumber += n
	return sinkNumber
}

//go:noinline
func DefersClosure(n int) (result int) {
	defer func() { result += n }()
	return n
}

//go:noinline
func DefersAllocation(n int) {
	defer func() { sinkPointer = &point{x: n} }()
	sinkNumber = n
}

//go:noinline
func DefersInBranchNotTaken(lock bool) int {
	if lock {
		mutex.Lock()
		defer mutex.Unlock()
	}
	return sinkNumber
}

//go:noinline
func DefersInLoop(n int) {
	for i := 0; i < n; i++ {
		defer note(i)
	}
}

//go:noinline
func note(n int) { sinkNumber += n }

//go:noinline
func DefersRecover(n int) (result int) {
	defer func() {
		if recover() != nil {
			result = -1
		}
	}()
	return n / 3
}

//go:noinline
func RecoversFromPanic(n int) (result int) {
	defer func() {
		if recover() != nil {
			result = -1
		}
	}()
	if n > 0 {
		panic("always")
	}
	return n
}

//go:noinline
func DefersAfterAllocation(n int) *point {
	p := &point{x: n}
	mutex.Lock()
	defer mutex.Unlock()
	return p
}

//go:noinline
func LocksForReading() int {
	shared.RLock()
	defer shared.RUnlock()
	return sinkNumber
}

//go:noinline
func LocksByHand(n int) {
	mutex.Lock()
	sinkNumber = n
	mutex.Unlock()
}

//go:noinline
func StartsGoroutine() {
	go signal()
	<-done
}

//go:noinline
func StartsGoroutineWithArgument(n int) {
	go signalNumber(n)
	<-done
}

//go:noinline
func StartsClosure(n int) {
	go func() { sinkNumber = n; done <- empty{} }()
	<-done
}

func signal()            { done <- empty{} }
func signalNumber(n int) { sinkNumber = n; done <- empty{} }

//go:noinline
func WaitsForGroup(n int) {
	var local sync.WaitGroup
	local.Add(1)
	go func() { sinkNumber = n; local.Done() }()
	local.Wait()
}

//go:noinline
func OnceAlreadyDone() { once.Do(initialise) }

var once sync.Once

func initialise() { sinkPointer = &point{} }

var deferred = []Function{
	{"DefersUnlock", func() { DefersUnlock(few) }},
	{"DefersClosure", func() { DefersClosure(few) }},
	{"DefersAllocation", func() { DefersAllocation(few) }},
	{"DefersInBranchNotTaken", func() { DefersInBranchNotTaken(no) }},
	{"DefersInLoop", func() { DefersInLoop(few) }},
	{"DefersRecover", func() { DefersRecover(few) }},
	{"RecoversFromPanic", func() { RecoversFromPanic(few) }},
	{"DefersAfterAllocation", func() { DefersAfterAllocation(few) }},
	{"LocksForReading", func() { LocksForReading() }},
	{"LocksByHand", func() { LocksByHand(few) }},
	{"StartsGoroutine", func() { StartsGoroutine() }},
	{"StartsGoroutineWithArgument", func() { StartsGoroutineWithArgument(large) }},
	{"StartsClosure", func() { StartsClosure(large) }},
	{"WaitsForGroup", func() { WaitsForGroup(large) }},
	{"OnceAlreadyDone", func() { OnceAlreadyDone() }},
}
