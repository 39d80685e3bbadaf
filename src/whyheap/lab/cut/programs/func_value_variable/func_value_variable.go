// root: func-value handle(...), a func variable

package func_value_variable

type item struct{ n, m int }

var handle func(p *item)

func first(n int) { handle(&item{n, n}) } // held

func second(n int) {
	one := item{n, n} // held
	handle(&one)
}

func other(n int) *item { return &item{n, n} }
