// Package example shows contained-value.
package example

type part struct{ id int }

type whole struct {
	one   *part
	parts []*part
	ids   []int
	value part
}

//go:noinline
func BadField(id int) *whole {
	return &whole{ // want pattern=returned-address
		one: &part{id}, // want pattern=contained-value call=newobject until=1.27 // want pattern=contained-value call=mallocgc since=1.27
	}
}

//go:noinline
func BadElements(id int) []*part {
	return []*part{ // want pattern=returned-address
		{id},     // want pattern=contained-value
		{id + 1}, // want pattern=contained-value
	}
}

//go:noinline
func BadSlice(id int) *whole {
	ids := []int{id}        // want pattern=contained-value
	return &whole{ids: ids} // want pattern=returned-address
}

//go:noinline
func BadCaptured(id int) func() int {
	p := &part{id}      // want pattern=contained-value
	return func() int { // want pattern=escaping-closure
		return p.id
	}
}

//go:noinline
func BadHeapVariable(id int, later *func() int) {
	p := &part{}          // want pattern=contained-value
	last := p             // want pattern=closure-by-reference
	*later = func() int { // want pattern=escaping-closure
		last.id++
		return last.id
	}
	last = nil
}

// The part is boxed: that is what allocates.
//
//go:noinline
func NearBoxed(p part) *[1]any {
	return &[1]any{p} // want pattern=interface-boxing // want pattern=returned-address
}

//go:noinline
func GoodValue(id int) *whole {
	return &whole{value: part{id}} // want pattern=returned-address
}

//go:noinline
func GoodLocalHolder(id int) int {
	w := whole{one: &part{id}, ids: []int{id}} // want none
	return w.one.id + w.ids[0]
}
