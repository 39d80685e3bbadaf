// Package example shows map-storage.
package example

type page struct{ body []byte }

var pages = map[string]*page{} // want pattern=map-storage

//go:noinline
func BadCache(key string) {
	pages[key] = &page{} // want pattern=map-storage
}

//go:noinline
func BadLocalMap(keys []string) map[string]*page {
	out := make(map[string]*page) // want pattern=map-storage
	for _, key := range keys {
		out[key] = &page{} // want pattern=map-storage
	}
	return out
}

//go:noinline
func BadLiteral(n int) map[string][]int {
	return map[string][]int{"n": {n}} // want pattern=map-storage
}

// Growth is silent.
//
//go:noinline
func BadGrowth(words []string) int {
	counts := map[string]int{}
	for _, word := range words {
		counts[word]++ // want pattern=map-storage agreement=allocates-silently
	}
	return len(counts)
}

var slots = make([]*page, 8) // want pattern=global-store

// An element of a slice, not of a map.
//
// run 1
//
//go:noinline
func NearSlice(i int) {
	slots[i] = &page{} // want pattern=global-store
}

//go:noinline
func GoodLookup(key string) *page {
	return pages[key] // want none
}

// The one entry fits on the stack. Known imprecision: the call that puts it there allocates when a map is full.
//
//go:noinline
func GoodSmallLocal(n int) int {
	m := map[int]int{1: n} // want pattern=map-storage agreement=may-allocate call=mapassign
	return m[n]
}
