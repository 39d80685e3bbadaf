// root: append append(all, &item{...}) in fill

package appended_element

type item struct{ n, m int }

var all []*item

func fill(n int) {
	all = append(all, &item{n, n}) // held
}

func other(n int) *item { return &item{n, n} }
