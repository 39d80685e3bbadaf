// root: map m[...] = ... in fill

package map_key

type item struct{ n, m int }

func fill(m map[*item]int, others map[*item]int, n int) {
	m[&item{n, n}] = 1 // held
	one := item{n, n}  // held
	m[&one]++
	others[&item{n, n}] = 2
}
