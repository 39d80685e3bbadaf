// root: store m["a"] = ... in fill

package map_value

type item struct{ n, m int }

func fill(m map[string]*item, n int) {
	m["a"] = &item{n, n} // held
	m["b"] = &item{n, n}
}
