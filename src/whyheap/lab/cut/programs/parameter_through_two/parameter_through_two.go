// root: parameter third(c *item)

package parameter_through_two

type item struct{ n, m int }

var kept []*item

//go:noinline
func third(c *item) { kept[0] = c }

//go:noinline
func second(b *item) { third(b) }

//go:noinline
func first(a *item) { second(a) }

func deep(n int) { first(&item{n, n}) } // held

func middle(n int) { second(&item{n, n}) } // held

func other(n int) { kept[1] = &item{n, n} }
