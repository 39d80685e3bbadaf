// root: result collect returns []*item

package returned_contained

type item struct{ n, m int }

//go:noinline
func collect(n int) []*item {
	first := &item{n, n}          // held
	return []*item{first, {n, 2}} // held 2
}

func other(n int) *item { return &item{n, n} }
