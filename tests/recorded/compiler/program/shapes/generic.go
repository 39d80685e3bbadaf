package shapes

func Box[V any](v V) *V { return &v }

type Stack[V any] struct{ items []V }

func (s *Stack[V]) Push(v V) { s.items = append(s.items, v) }

func Map[A, B any](as []A, f func(A) B) []B {
	var bs []B
	for _, a := range as {
		bs = append(bs, f(a))
	}
	return bs
}

func Never[V any](v V) *V { return &v }

func UseGenerics(s *Stack[string]) (*int, []*string) {
	s.Push("x")
	s.Push(*Box("y"))
	return Box(1), Map(s.items, func(t string) *string { return &t })
}
