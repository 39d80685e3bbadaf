// root: parameter keep(p *item)

package parameter_direct

type item struct{ n, m int }

var kept *item

//go:noinline
func keep(p *item) { kept = p }

func first(n int) { keep(&item{n, n}) } // held

func second(n int) {
	one := item{n, n} // held
	keep(&one)
}

func other(n int) *item { return &item{n, n} }

func local(n int) int {
	one := item{n, n}
	p := &one
	return p.m
}
