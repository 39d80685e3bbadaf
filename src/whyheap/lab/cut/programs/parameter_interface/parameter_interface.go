// root: parameter keep(v any)

package parameter_interface

type item struct{ n, m int }

var kept any

//go:noinline
func keep(v any) { kept = v }

func box(n int) { keep(n) } // held

func text(s string) { keep(s + "!") } // held 2

func pointer(n int) { keep(&item{n, n}) } // held

func other(n int) { kept = n }
