// root: parameter (*item).keep, receiver i

package parameter_receiver

type item struct{ n, m int }

var kept *item

//go:noinline
func (i *item) keep() { kept = i }

func first(n int) {
	one := &item{n, n} // held
	one.keep()
}

func second(n int) {
	var one item // held
	one.n = n
	one.keep()
}

func other(n int) { kept = &item{n, n} }
