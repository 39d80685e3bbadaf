// Command nil_pointer follows a nil pointer in a goroutine.
package main

import "time"

type order struct{ lines []string }

func (o *order) first() string { return o.lines[0] }

func main() {
	go func() {
		var missing *order
		println(missing.first())
	}()
	time.Sleep(5 * time.Second)
}
