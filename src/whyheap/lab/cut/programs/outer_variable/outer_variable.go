// root: outer-variable last outlives the loop in find

package outer_variable

type item struct{ n, m int }

//go:noinline
func look(p *item) bool { return p.n > 3 }

func find(n int) bool {
	var last *item
	for i := range n {
		last = &item{i, i} // held
	}
	return last != nil && look(last)
}

func other(n int) *item { return &item{n, n} }
