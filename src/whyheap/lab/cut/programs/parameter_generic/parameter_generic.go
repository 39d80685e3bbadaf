// root: parameter keep[...](p *T)

package parameter_generic

var kept any

//go:noinline
func keep[T any](p *T) { kept = p }

func first(n int) {
	one := n // held
	keep(&one)
}

func second(s string) {
	one := s // held
	keep(&one)
}

func other(n int) { kept = n }
