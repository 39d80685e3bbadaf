// root: global kept = ..., a package-level variable

package global_store

type item struct{ n, m int }

var (
	kept  *item
	other *item
)

func first(n int) {
	kept = &item{n, n} // held
}

func second(n int) {
	one := item{n, n} // held
	kept = &one
}

func third(n int) { other = &item{n, n} }
