// A program that keeps memory and goroutines in many ways, then holds still and serves net/http/pprof: what a reader
// of its memory finds can be held against what it says itself. It prints its address, and ends when its input does.

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"
)

type record struct {
	Name  string         `json:"name"`
	Tags  []string       `json:"tags"`
	Extra map[string]any `json:"extra"`
}

type box[T any] struct{ values []T }

func (b *box[T]) add(value T) { b.values = append(b.values, value) }

type store interface{ put(key string) }

type inner struct{ byKey map[string]*record }

func (i inner) put(key string) { i.byKey[key] = &record{Name: key} }

type outer struct{ *inner } // promoted: the compiler writes the wrapper (*outer).put

var (
	kept   []any
	pages  [][]byte
	names  box[string]
	counts box[[3]int64]
	never  = make(chan int)
	lock   sync.Mutex
	shared sync.RWMutex
	group  sync.WaitGroup
	ready  = sync.NewCond(&sync.Mutex{})
)

func page(size int) []byte        { return make([]byte, size) } // inlined
func twice(size int) [2][]byte    { return [2][]byte{page(size), page(size)} }
func keep(value any)              { kept = append(kept, value) }
func join(words ...string) string { return strings.Join(words, "/") }

//go:noinline
func deep(depth int) {
	if depth == 0 {
		for range 20 {
			pages = append(pages, page(3000))
		}
		return
	}
	step(depth - 1) // a stack that is cut off may end within an inlined call
	pages = append(pages, nil)
}

func step(depth int)    { through(depth) } // inlined
func through(depth int) { deep(depth) }    // inlined into step

func fill() {
	var target store = outer{&inner{map[string]*record{}}}
	for number := range 3000 {
		keep(twice(number % 9000))
		names.add(join("name", fmt.Sprint(number)))
		counts.add([3]int64{int64(number)})
		target.put(fmt.Sprint("key", number))
	}
	keep(target)
	for _, depth := range []int{3, 27, 28, 29, 30, 31, 32, 60, 123, 124, 125, 126, 127, 128, 129, 300} {
		deep(depth)
	}
	text := []byte(`{"name": "n", "tags": ["a", "b"], "extra": {"k": [1, 2, 3], "v": "w"}}`)
	for range 500 {
		var one record
		if err := json.Unmarshal(text, &one); err != nil {
			panic(err)
		}
		keep(&one)
	}
	var out bytes.Buffer
	for range 5000 {
		out.WriteString("words and more words")
		_ = page(5000) // garbage
	}
	keep(out.String())
	done := make(chan struct{})
	for range 4 {
		go func() {
			defer close(done)
			sort.Slice(pages, func(i, j int) bool { keep(page(64)); return len(pages[i]) < len(pages[j]) })
		}()
		<-done
		done = make(chan struct{})
	}
}

func receive() { <-never }
func wait()    { receive() } // both inlined
func recurse(depth int) {
	if depth > 0 {
		recurse(depth - 1)
		return
	}
	wait()
}

func park() {
	lock.Lock()
	shared.Lock()
	group.Add(1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	in, out, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	keep(out)
	pipeIn, pipeOut := io.Pipe()
	keep(pipeIn)
	other := make(chan int)
	for range 7 {
		go wait()
		go recurse(20)
		go func() { never <- 1 }()
		go func() {
			select {
			case <-never:
			case other <- 1:
			}
		}()
		go func() { select {} }()
		go func() { var none chan int; <-none }()
		go lock.Lock()
		go shared.RLock()
		go shared.Lock()
		go group.Wait()
		go func() { ready.L.Lock(); ready.Wait() }()
		go time.Sleep(time.Hour)
		go func() { pipeOut.Write([]byte("x")) }()
		go func() { time.Sleep(time.Hour) }()
	}
	go listener.Accept()
	go in.Read(make([]byte, 1))
	go func() { // blocks a thread in a system call
		buffer := make([]byte, 1)
		os.NewFile(blockingPipe(), "pipe").Read(buffer)
	}()
}

func main() {
	if runtime.MemProfileRate > 0 { // GODEBUG=memprofilerate=0 keeps no profile
		runtime.MemProfileRate = 128
	}
	fill()
	park()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, nil)
	time.Sleep(100 * time.Millisecond) // goroutines park
	for range 3 {
		runtime.GC()
	}
	fmt.Printf("http://%s\n", listener.Addr())
	io.Copy(io.Discard, os.Stdin)
}
