// root: parameter (*list).put(one *item)

package parameter_method

type item struct{ n, m int }

type list struct{ items []*item }

//go:noinline
func (l *list) put(one *item) { l.items[0] = one }

func fill(l *list, n int) {
	l.put(&item{n, n}) // held
	for i := range n {
		l.put(&item{i, i}) // held
	}
}

func other(l *list, n int) { l.items[1] = &item{n, n} }
