// Command deadlock waits for what nobody sends.
package main

func receive(results chan int) int { return <-results }

func main() { println(receive(make(chan int))) }
