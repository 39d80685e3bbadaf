// root: store l.head = ... in fill

package pointer_store

type item struct{ n, m int }

type list struct{ head, tail *item }

func fill(l *list, n int) {
	l.head = &item{n, n} // held
	l.tail = &item{n, n}
	one := item{n, n} // held
	l.head = &one
}
