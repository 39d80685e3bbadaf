// root: parameter keep(pp **item)

package parameter_content

type item struct{ n, m int }

var kept *item

//go:noinline
func keep(pp **item) { kept = *pp }

func fill(n int) {
	p := &item{n, n} // held
	keep(&p)
}

func other(n int) { kept = &item{n, n} }
