// Writes its own heap to a file, with goroutines in it that never end and hold something each.
package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// Known is reachable from here, whoever else refers to it.
var Known = map[int]*[1000]byte{}

var sink any

type node struct {
	next *node
	name string
}

//go:noinline
func holdBuffer(buffer []byte, known map[int]*[1000]byte, wait chan []byte) {
	copy(buffer, <-wait)
	known[0] = nil
}

//go:noinline
func holdList(wait, other chan int) {
	var list *node
	for range 1000 {
		list = &node{next: list}
	}
	select {
	case <-wait:
	case <-other:
	}
	sink = list
}

// holdOnStack has its nodes in an array on the stack, whose address is taken.
//
//go:noinline
func holdOnStack(wait chan int) {
	var nodes [4]*node
	fill(&nodes)
	<-wait
	fill(&nodes)
}

//go:noinline
func fill(nodes *[4]*node) {
	for i := range nodes {
		nodes[i] = &node{next: nodes[i]}
	}
}

//go:noinline
func holdInner(inner *byte, lock *sync.Mutex) {
	lock.Lock()
	*inner = 1
}

//go:noinline
func holdShared(own, shared []byte, wait chan int) {
	<-wait
	copy(own, shared)
}

//go:noinline
func holdSharedToo(own, shared []byte, wait chan int) {
	<-wait
	copy(own, shared)
}

//go:noinline
func start() {
	for i := range 100 {
		Known[i] = new([1000]byte)
	}
	go holdBuffer(make([]byte, 1<<20), Known, make(chan []byte))
	go holdList(make(chan int), make(chan int))
	go holdOnStack(make(chan int))
	lock := new(sync.Mutex)
	lock.Lock()
	go holdInner(&make([]byte, 32<<10)[1000], lock)
	shared := make([]byte, 64<<10)
	go holdShared(make([]byte, 16<<10), shared, make(chan int))
	go holdSharedToo(make([]byte, 16<<10), shared, make(chan int))
}

func main() {
	runtime.MemProfile(nil, false) // or else nothing is sampled
	start()
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	file, err := os.Create("heap.dump")
	if err != nil {
		panic(err)
	}
	debug.WriteHeapDump(file.Fd())
}
