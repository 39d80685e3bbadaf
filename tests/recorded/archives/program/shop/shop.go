// Package shop allocates in every way that the machine-code witness has to tell apart.
package shop

// Item holds a pointer.
type Item struct {
	price, count int
	next         *Item
}

// Pair is generic.
type Pair[K comparable, V any] struct {
	key   K
	value V
}

// New is inlined where it is called.
func New(price int) *Item { return &Item{price: price} }

// Twice calls New through another inlined function.
func Twice(price int) (*Item, *Item) {
	return again(price), New(price)
}

func again(price int) *Item {
	return New(price + 1)
}

// MakePair is instantiated below.
//
//go:noinline
func MakePair[K comparable, V any](key K, value V) *Pair[K, V] {
	return &Pair[K, V]{key, value}
}

// Use instantiates MakePair.
func Use(name string) any { return MakePair(name, 1) }

// Grow has a slow path that allocates.
func (item *Item) Grow(prices []int) []int {
	return append(prices, item.price)
}

// Fill makes slices, maps, channels and strings.
func Fill(size int, name string) (made []byte, index map[string]int, done chan Item, text string) {
	made = make([]byte, size)
	index = map[string]int{name: size}
	done = make(chan Item, size)
	text = name + string(made)
	return made, index, done, text
}

// Counter returns a closure over a variable of its own.
func Counter(start int) func() int {
	return func() int {
		start++
		return start
	}
}

// Add is written in assembly.
func Add(a, b int) int

// Start runs a goroutine.
func Start(work func()) { go work() }

// Constant returns what is ready in read-only data.
func Constant() any { return "constant" }

// Empty returns what needs no storage.
func Empty() any { return struct{}{} }

// Small returns what is ready in the runtime.
func Small(value byte) any { return value }

// None returns a function without variables.
func None() func() { return func() {} }
