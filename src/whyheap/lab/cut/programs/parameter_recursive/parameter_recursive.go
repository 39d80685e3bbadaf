// root: parameter odd(p *item)

package parameter_recursive

type item struct{ n, m int }

var kept *item

//go:noinline
func even(p *item, n int) {
	if n > 0 {
		odd(p, n-1)
	}
}

//go:noinline
func odd(p *item, n int) {
	if n > 0 {
		even(p, n-1)
	}
	kept = p
}

func start(n int) { even(&item{n, n}, n) } // held

func other(n int) { kept = &item{n, n} }
