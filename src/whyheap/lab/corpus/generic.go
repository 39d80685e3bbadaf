package corpus

type number interface{ ~int | ~float64 }

//go:noinline
func sumOf[T number](all []T) T {
	var total T
	for _, one := range all {
		total += one
	}
	return total
}

//go:noinline
func pointerTo[T any](value T) *T { return &value }

//go:noinline
func mapOf[T, U any](all []T, f func(T) U) []U {
	made := make([]U, 0, len(all))
	for _, one := range all {
		made = append(made, f(one))
	}
	return made
}

//go:noinline
func boxOf[T any](value T) any { return value }

type stack[T any] struct{ items []T }

//go:noinline
func (s *stack[T]) Push(value T) { s.items = append(s.items, value) }

//go:noinline
func (s *stack[T]) Pop() T {
	last := s.items[len(s.items)-1]
	s.items = s.items[:len(s.items)-1]
	return last
}

type pair[K comparable, V any] struct {
	key   K
	value V
}

//go:noinline
func GenericSum(all []int) int { return sumOf(all) }

//go:noinline
func GenericPointer(n int) *int { return pointerTo(n) }

//go:noinline
func GenericPointerToStruct(p point) *point { return pointerTo(p) }

//go:noinline
func GenericMap(all []int) []int { return mapOf(all, double) }

func double(n int) int { return 2 * n }

//go:noinline
func GenericBox(p point) any { return boxOf(p) }

//go:noinline
func GenericPushPop(s *stack[int], n int) int { s.Push(n); return s.Pop() }

//go:noinline
func GenericPair(n int) pair[int, string] { return pair[int, string]{n, "v"} }

//go:noinline
func GenericPairPointer(n int) *pair[int, string] { return &pair[int, string]{n, "v"} }

//go:noinline
func GenericMaximum(a, b int) int { return maximum(a, b) }

func maximum[T number](a, b T) T {
	if a > b {
		return a
	}
	return b
}

//go:noinline
func GenericKeys(m map[string]int) []string { return keysOf(m) }

//go:noinline
func keysOf[K comparable, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	return keys
}

var aStack = &stack[int]{make([]int, 0, 8)}

var generic = []Function{
	{"GenericSum", func() { GenericSum(numbers) }},
	{"GenericPointer", func() { GenericPointer(large) }},
	{"GenericPointerToStruct", func() { GenericPointerToStruct(aPoint) }},
	{"GenericMap", func() { GenericMap(numbers) }},
	{"GenericBox", func() { GenericBox(aPoint) }},
	{"GenericPushPop", func() { GenericPushPop(aStack, large) }},
	{"GenericPair", func() { GenericPair(large) }},
	{"GenericPairPointer", func() { GenericPairPointer(large) }},
	{"GenericMaximum", func() { GenericMaximum(large, few) }},
	{"GenericKeys", func() { GenericKeys(table) }},
}
