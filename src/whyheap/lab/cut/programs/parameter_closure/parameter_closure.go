// root: parameter later(f func() int)

package parameter_closure

var kept func() int

//go:noinline
func later(f func() int) { kept = f }

func byValue(n int) {
	later(func() int { return n }) // held
}

func byReference(n int) {
	total := 0         // held
	later(func() int { // held
		total += n
		return total
	})
}

func other(n int) { kept = func() int { return n } }
