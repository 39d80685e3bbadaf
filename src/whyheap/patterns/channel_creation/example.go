// Package example shows channel-creation.
package example

type answer struct{ done chan struct{} }

//go:noinline
func work(done chan<- int) { done <- 1 }

// The compiler says nothing about a channel: it is on the heap always.
//
//go:noinline
func BadPerCall() int {
	done := make(chan int, 1) // want pattern=channel-creation agreement=allocates-silently call=makechan
	work(done)
	return <-done
}

//go:noinline
func BadField() answer {
	return answer{make(chan struct{})} // want pattern=channel-creation agreement=allocates-silently call=makechan
}

//go:noinline
func BadDirected() <-chan int {
	out := make(<-chan int) // want pattern=channel-creation agreement=allocates-silently call=makechan
	return out
}

//go:noinline
func GoodShared(done chan int) int {
	return len(done) // want none
}

//go:noinline
func GoodNil() chan int {
	return nil // want none
}
