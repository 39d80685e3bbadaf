// root: result build returns *item

package returned_address

type item struct{ n, m int }

//go:noinline
func build(n int) *item {
	if n > 3 {
		return &item{n, n} // held
	}
	one := item{n, 0} // held
	return &one
}

func other(n int) *item { return &item{n, n} }

func use(n int) int { return build(n).m }
