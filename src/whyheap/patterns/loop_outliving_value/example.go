// Package example shows loop-outliving-value.
package example

type candidate struct{ id, score int }

//go:noinline
func BadBest(ids []int) int {
	var best *candidate
	for _, id := range ids {
		c := &candidate{id, id % 7} // want pattern=loop-outliving-value call=newobject until=1.27 // want pattern=loop-outliving-value call=mallocgc since=1.27
		if best == nil || c.score > best.score {
			best = c
		}
	}
	return best.id
}

//go:noinline
func BadVariable(ids []int) int {
	var last *candidate
	for _, id := range ids {
		c := candidate{id, 0} // want pattern=loop-outliving-value
		last = &c
	}
	return last.id
}

//go:noinline
func BadBuffer(n int) int {
	var buffer []byte
	for i := 0; i < n; i++ {
		buffer = make([]byte, 16) // want pattern=loop-outliving-value
		buffer[0] = byte(i)
	}
	return len(buffer)
}

// It is a result, so a loop has no part in it.
//
//go:noinline
func NearResult(ids []int) (last *candidate) {
	for _, id := range ids {
		last = &candidate{id, 0} // want pattern=returned-address
	}
	return last
}

//go:noinline
func GoodCopy(ids []int) int {
	var best candidate
	for _, id := range ids {
		c := candidate{id, id % 7} // want none
		if c.score > best.score {
			best = c
		}
	}
	return best.id
}

//go:noinline
func GoodInside(ids []int) int {
	sum := 0
	for _, id := range ids {
		c := &candidate{id, 0} // want none
		sum += c.id
	}
	return sum
}
