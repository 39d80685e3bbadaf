// Package example shows loop-variable-address.
package example

type item struct{ id, price int }

var hook func() int

var last *int

// Every turn has a variable of its own, and every one of them is kept.
//
//go:noinline
func BadRange(items []item, kept []*item) {
	for i, it := range items { // want pattern=loop-variable-address call=newobject until=1.27 // want pattern=loop-variable-address call=mallocgc since=1.27
		if it.price > 0 {
			kept[i] = &it
		}
	}
}

// Closures that only read i hold a copy of it; this one changes it.
//
//go:noinline
func BadCounter(n int) {
	for i := 0; i < n; i++ { // want pattern=loop-variable-address call=newobject
		hook = func() int { // want pattern=escaping-closure call=newobject until=1.27 // want pattern=escaping-closure call=mallocgc since=1.27
			i += 2
			return i
		}
	}
}

//go:noinline
func BadPointer(n int) {
	for i := 0; i < n; i++ { // want pattern=loop-variable-address call=newobject
		last = &i
	}
}

//go:noinline
func BadPart(items []item) {
	for _, it := range items { // want pattern=loop-variable-address call=newobject until=1.27 // want pattern=loop-variable-address call=mallocgc since=1.27
		last = &it.price
	}
}

// The function made the slice and does not use it again: &items[i] does as well.
//
//go:noinline
func BadOwn(prices []int, kept []*item) {
	items := make([]item, len(prices)) // want pattern=variable-size-make
	for i, price := range prices {
		items[i] = item{i, price}
	}
	for i, it := range items { // want pattern=loop-variable-address call=newobject until=1.27 // want pattern=loop-variable-address call=mallocgc since=1.27
		kept[i] = &it
	}
}

// A variable of the body, not of the loop.
//
//go:noinline
func NearCopy(items []item, kept []*item) {
	for i := range items {
		it := items[i] // want pattern=pointer-store call=newobject until=1.27 // want pattern=pointer-store call=mallocgc since=1.27
		kept[i] = &it
	}
}

// The address of the element: nothing is copied, and the whole array is kept.
//
//go:noinline
func GoodIndex(items []item, kept []*item) {
	for i := range items {
		kept[i] = &items[i] // want none
	}
}

// The address stays in the loop.
//
//go:noinline
func GoodLocal(items []item) int {
	total := 0
	for _, it := range items {
		total += price(&it) // want none
	}
	return total
}

//go:noinline
func price(it *item) int { return it.price }
