// root: interface-method type store interface{ put(p *item) }

package interface_call

type item struct{ n, m int }

type store interface{ put(p *item) }

func first(s store, n int) { s.put(&item{n, n}) } // held

func second(s store, n int) {
	one := item{n, n} // held
	s.put(&one)
}

func other(n int) *item { return &item{n, n} }
