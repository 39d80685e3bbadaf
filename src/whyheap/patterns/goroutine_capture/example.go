// Package example shows goroutine-capture.
package example

import "sync"

func work(int) {}

// run []int{1, 2, 3}
//
//go:noinline
func BadPerItem(ids []int) {
	for _, id := range ids {
		go func() { // want pattern=goroutine-capture
			work(id)
		}()
	}
}

// The goroutine writes a variable of its maker: that one moves to the heap too.
//
// run make(chan bool, 1)
//
//go:noinline
func BadShared(done chan bool) int {
	result := 0 // want pattern=closure-by-reference
	go func() { // want pattern=goroutine-capture
		result = 1
		done <- true
	}()
	<-done
	return result
}

// The buffer lives as long as the goroutine that uses it.
//
// run make(chan bool, 1); <-a1
//
//go:noinline
func BadKept(done chan bool) {
	body := make([]byte, 1<<10) // want pattern=goroutine-capture
	go func() {                 // want pattern=goroutine-capture
		body[0] = 1
		done <- true
	}()
}

// The compiler wraps the call into a closure and prints no verdict about it.
//
//go:noinline
func BadWrapped(id int) {
	go work(id) // want pattern=goroutine-capture agreement=allocates-silently call=newproc
}

//go:noinline
func GoodDeferred(lock *sync.Mutex) {
	lock.Lock()
	defer lock.Unlock() // want none
}

//go:noinline
func GoodWorker(ids []int, queue chan<- int) {
	for _, id := range ids {
		queue <- id // want none
	}
}
