//go:build illegal

package main

type counter struct{ n int }

func (c *counter) Add() { c.n++ }

type adder interface{ Add() }

func main() {
	var a adder = counter{}
	a.Add()
}
