// root: parameter logf(args ...any)

package parameter_variadic

var kept []any

//go:noinline
func logf(format string, args ...any) { kept = args }

func first(n int) { logf("n", n) } // held 2

func second(s string, n int) { logf("s, n", s, n) } // held 3

func other(n int) { kept[0] = n }
