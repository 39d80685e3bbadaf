package mypkg

//whyheap:noescape
func Ref[T any](v T) *T {
	w := v // want noescape
	return &w
}

func At[S ~[]E, E any](s S, i int) E {
	return s[i] //gcassert:bce // want bce
}

type Stack[T any] struct{ items []T }

//whyheap:noalloc
func (s *Stack[T]) Push(v T) {
	s.items = append(s.items, v) // want noalloc
}

// Only is instantiated by another package alone.
func Only[T any](v T) any {
	return v //whyheap:noescape // want noescape
}

// Kept is instantiated by another package alone.
func Kept[T any](v T) *T {
	//whyheap:noescape
	w := v // want noescape
	return &w
}

// Never is instantiated by nobody: it is not judged, and that is told.
func Never[T any](v T) *T {
	//whyheap:noescape
	w := v
	return &w
}

//gcassert:inline
func Twice[T ~int](v T) T {
	return T(big(int(v)) + big(int(v)+1) + big(int(v)+2))
}

func Uses(n int) (*int, int) {
	var s Stack[string]
	s.Push("a")
	return Ref(n), At([]int{1, 2, 3}, n) + Twice(n) // want inline
}
