// Allocates in the ways that matter to a reader of heap profiles, then writes its profiles to a folder.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
)

type node struct {
	left, right *node
	payload     [6]int
}

type cache[K comparable, V any] struct{ entries map[K]V }

var (
	kept   = &cache[string, []byte]{entries: map[string][]byte{}}
	roots  []*node
	texts  []string
	blocks []any
)

func (c *cache[K, V]) put(key K, value V) { c.entries[key] = value }

//go:noinline
func grow(depth int) *node {
	if depth == 0 {
		return nil
	}
	return &node{left: grow(depth - 1), right: grow(depth - 1)}
}

// fresh is inlined into its callers: its line is the leaf of their stacks.
func fresh(size int) []byte { return make([]byte, size) }

//go:noinline
func fill() {
	for i := range 2000 {
		kept.put(fmt.Sprint("key", i), fresh(128+i%64))
	}
}

//go:noinline
func box(n int) any { return n }

//go:noinline
func garbage() {
	for i := range 3000 {
		texts = append(texts[:0], strings.Repeat("x", 64+i%7))
	}
}

func main() {
	runtime.MemProfileRate = 2048
	folder := os.Args[1]
	cpu := create(folder, "cpu.pb.gz")
	if err := pprof.StartCPUProfile(cpu); err != nil {
		log.Fatal(err)
	}
	for range 3 {
		roots = append(roots, grow(10))
		each := func(n int) { blocks = append(blocks, box(n+1000)) }
		for n := range 500 {
			each(n)
		}
		fill()
		garbage()
	}
	pprof.StopCPUProfile()
	closeFile(cpu)
	runtime.GC()
	write(folder, "heap", 0, "heap.pb.gz")
	write(folder, "heap", 1, "heap.txt")
	write(folder, "goroutine", 0, "goroutine.pb.gz")
	write(folder, "goroutine", 1, "goroutine.txt")
	runtime.KeepAlive(roots)
}

func write(folder, kind string, debug int, name string) {
	file := create(folder, name)
	if err := pprof.Lookup(kind).WriteTo(file, debug); err != nil {
		log.Fatal(err)
	}
	closeFile(file)
}

func create(folder, name string) *os.File {
	file, err := os.Create(filepath.Join(folder, name))
	if err != nil {
		log.Fatal(err)
	}
	return file
}

func closeFile(file *os.File) {
	if err := file.Close(); err != nil {
		log.Fatal(err)
	}
}
