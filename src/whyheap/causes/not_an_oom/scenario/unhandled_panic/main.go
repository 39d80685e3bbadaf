// A service that dies of a panic in a goroutine of its own making: exit code 2, and the kernel has nothing to do with it.
// It serves no endpoint, so it is observed from outside by its process id.
//
// It prints "ready", panics, or ends by itself after -for.
//
//lab:limit 128MiB
//lab:seconds 14
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

type order struct{ lines map[string]int }

// add counts a line of an order; an order without lines has no map.
func (o *order) add(name string) { o.lines[name]++ }

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	after := flag.Duration("after", 7*time.Second, "until the empty order comes")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	time.AfterFunc(*after, func() { (&order{}).add("tea") })
	recent := make([]*order, 1000)
	for number := 0; ; number++ {
		one := &order{map[string]int{}}
		for line := range 40 {
			one.add(fmt.Sprint("line ", line))
		}
		recent[number%len(recent)] = one
		time.Sleep(time.Millisecond)
	}
}
