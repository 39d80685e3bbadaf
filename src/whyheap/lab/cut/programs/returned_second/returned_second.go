// root: result build returns error

package returned_second

type item struct{ n, m int }

type failure struct{ code int }

func (f *failure) Error() string { return "failed" }

//go:noinline
func build(n int) (*item, error) {
	if n > 3 {
		return nil, &failure{n} // held
	}
	return &item{n, n}, nil
}
