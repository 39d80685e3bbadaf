// root: func-value visit(...) in each

package func_value_parameter

type item struct{ n, m int }

func each(n int, visit func(p *item)) {
	for i := range n {
		visit(&item{i, i}) // held
	}
	visit(&item{n, n}) // held
}

func other(n int) *item { return &item{n, n} }
