// Package store keeps things for the package above it.
package store

// Item is what is kept.
type Item struct{ N, M int }

var kept *Item

// Keep lets its parameter leak.
//
//go:noinline
func Keep(p *Item) { kept = p }

// Fill keeps one of its own.
func Fill(n int) { Keep(&Item{N: n}) } // held

// Other keeps nothing.
func Other(n int) { kept = &Item{N: n} }
