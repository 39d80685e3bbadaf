// Package example shows pointer-store.
package example

type leaf struct{ id int }

type branch struct {
	first *leaf
	leafs []*leaf
	ids   []int
	value leaf
}

//go:noinline
func BadField(b *branch, id int) {
	b.first = &leaf{id} // want pattern=pointer-store call=newobject until=1.27 // want pattern=pointer-store call=mallocgc since=1.27
}

//go:noinline
func BadVariable(b *branch, id int) {
	l := leaf{id} // want pattern=pointer-store call=newobject
	b.first = &l
}

//go:noinline
func BadDeref(p **leaf, id int) {
	*p = &leaf{id} // want pattern=pointer-store
}

//go:noinline
func BadElement(leafs []*leaf, id int) {
	leafs[0] = &leaf{id} // want pattern=pointer-store
}

//go:noinline
func BadAppended(b *branch, id int) {
	l := &leaf{id}                   // want pattern=pointer-store
	b.leafs = append(b.leafs[:0], l) // want pattern=append-growth call=growslice
}

//go:noinline
func BadSlice(b *branch, n int) {
	b.ids = make([]int, n) // want pattern=pointer-store call=makeslice
}

// The branch is local and stays on the stack; the compiler does not follow the pointer to it.
//
//go:noinline
func BadLocalHolder(id int) int {
	b := &branch{}
	b.first = &leaf{id} // want pattern=pointer-store
	return b.first.id
}

// The closure stores through a pointer to best.
//
//go:noinline
func BadAroundClosure(id int) int {
	var best *leaf
	func() {
		defer recover()
		best = &leaf{id} // want pattern=pointer-store
	}()
	return best.id
}

// A map's element is told as such.
//
//go:noinline
func NearMap(m map[string]*leaf, id int) {
	m["first"] = &leaf{id} // want pattern=map-storage
}

//go:noinline
func GoodValue(b *branch, id int) {
	b.value = leaf{id} // want none
}

//go:noinline
func GoodLocal(id int) int {
	var b branch
	b.first = &leaf{id} // want none
	return b.first.id
}
