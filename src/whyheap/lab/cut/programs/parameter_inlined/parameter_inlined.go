// root: parameter put(p *item)

package parameter_inlined

type item struct{ n, m int }

var kept *item

func put(p *item) { kept = p }

func first(n int) { put(&item{n, n}) } // held

func second(n int) { put(&item{n, 0}) } // held

func other(n int) { kept = &item{n, n} }
