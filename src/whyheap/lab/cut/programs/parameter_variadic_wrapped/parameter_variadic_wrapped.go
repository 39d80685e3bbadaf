// root: parameter emit(values []any)

package parameter_variadic_wrapped

var kept []any

//go:noinline
func emit(values []any) { kept = values }

//go:noinline
func logf(args ...any) { emit(args) }

func first(n int) { logf(n) } // held 2

func second(n int) { emit([]any{n}) } // held 2

func other(n int) { kept[0] = n }
