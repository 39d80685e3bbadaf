// root: send c <- (&item{...}) in produce

package channel_send

type item struct{ n, m int }

func produce(c, d chan *item, n int) {
	c <- &item{n, n} // held
	d <- (&item{n, n})
}

func other(n int) *item { return &item{n, n} }
