// root: parameter keep(p *outer)

package parameter_contained

type inner struct{ n, m int }

type outer struct{ in *inner }

var kept *outer

//go:noinline
func keep(p *outer) { kept = p }

func build(n int) {
	in := &inner{n, n} // held
	keep(&outer{in})   // held
}

func list(n int) {
	all := []*inner{{n, n}, {n, 1}} // held 2
	keep(&outer{all[0]})            // held
}

func other(n int) { kept.in = &inner{n, n} }
