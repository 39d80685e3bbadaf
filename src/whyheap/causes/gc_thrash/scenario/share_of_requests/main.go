// A graph store that sets its own memory limit to a share of what it *requests*, not of the container's limit, and
// switches GOGC off because "the limit does it". Its chains of nodes nearly fill that. It serves no endpoint, so it is
// observed from outside by its process id.
//
// It prints "ready" and ends by itself after -for.
//
//lab:limit 256MiB
//lab:seconds 12
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

type node struct {
	next, left, right *node
	weight            [5]int64
}

const requestedBytes = 64 << 20

var scratch *node

func chain(length int) *node {
	var head *node
	for i := range length {
		head = &node{next: head, left: head, weight: [5]int64{int64(i)}}
	}
	return head
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	nodes := flag.Int("nodes", 760_000, "nodes in the graph, 64 bytes each")
	perSecond := flag.Int("rate", 2000, "queries a second")
	flag.Parse()
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(requestedBytes * 9 / 10)
	graph := chain(*nodes)
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	begun := time.Now()
	for query := 0; ; query++ {
		for float64(query) > time.Since(begun).Seconds()*float64(*perSecond) {
			time.Sleep(time.Millisecond)
		}
		scratch = chain(250) // what the query works with
		graph.weight[1] += scratch.weight[0]
	}
}
