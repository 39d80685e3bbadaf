// root: global kept = ..., a package-level variable

package result_flows_on

type item struct{ n, m int }

var kept *item

//go:noinline
func same(p *item) *item { return p }

func fill(n int) {
	one := &item{n, n} // held
	p := same(one)
	kept = same(p)
}

func other(n int) *item { return same(&item{n, n}) }
