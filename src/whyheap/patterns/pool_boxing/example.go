// Package example shows pool-boxing.
package example

import "sync"

type block struct {
	id   int
	body []byte
}

var buffers, blocks, pointers sync.Pool

// Every Put copies the slice's header to the heap: the pool saves an array and pays a header.
//
//go:noinline
func BadSlice(buf []byte) {
	buffers.Put(buf) // want pattern=pool-boxing call=convTslice
}

// run &block{body: []byte{1}}
//
//go:noinline
func BadField(b *block) {
	buffers.Put(b.body) // want pattern=pool-boxing call=convTslice
}

//go:noinline
func BadStruct(id int) {
	blocks.Put(block{id: id}) // want pattern=pool-boxing call=convT
}

// A pointer fits into the interface.
//
//go:noinline
func GoodPointer(b *block) {
	b.id = 0
	pointers.Put(b) // want none
}

//go:noinline
func GoodHeader(buf *[]byte) {
	*buf = (*buf)[:0]
	pointers.Put(buf) // want none
}

type cache struct{ held any }

//go:noinline
func (c *cache) Put(v any) { c.held = v }

// Not a pool: the value is kept.
//
//go:noinline
func NearCache(c *cache, n int) {
	c.Put(n) // want pattern=interface-boxing call=convT64
}

var scratch = sync.Pool{New: func() any {
	return make([]byte, 64) // want pattern=interface-boxing pattern=contained-value
}}

// What is got is put back in the same function: a pointer could travel from Get to Put.
//
//go:noinline
func BadRound(text string) int {
	buf := scratch.Get().([]byte)
	n := copy(buf, text)
	scratch.Put(buf) // want pattern=pool-boxing call=convTslice
	return n
}
