//go:build go1.23

package shapes

import (
	"iter"
	"slices"
)

func Points(n int) iter.Seq2[int, *Point] {
	return func(yield func(int, *Point) bool) {
		for i := range n {
			if !yield(i, &Point{X: i}) {
				return
			}
		}
	}
}

func Range(n int) (out []*int) {
	for i, point := range Points(n) {
		defer func() { kept = point }()
		out = append(out, &i)
	}
	for _, v := range slices.Backward(out) {
		kept = v
	}
	return out
}
