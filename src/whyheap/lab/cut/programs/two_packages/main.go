// root: parameter Keep(p *Item)

package two

import "example.test/cut/two_packages/store"

func first(n int) { store.Keep(&store.Item{N: n}) } // held

func second(n int) {
	one := store.Item{N: n} // held
	store.Keep(&one)
}

func other(n int) *store.Item { return &store.Item{N: n} }
