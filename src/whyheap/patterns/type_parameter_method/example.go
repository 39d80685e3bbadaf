// Package example shows type-parameter-method.
package example

type task struct{ id int }

type worker interface{ work(t *task) }

type tired struct{}

func (*tired) work(t *task) {}

// run &tired{}, 7
//
//go:noinline
func BadTypeParameter[W worker](w W, id int) {
	t := task{id} // want pattern=type-parameter-method call=newobject
	w.work(&t)
}

// run &tired{}, 7
//
//go:noinline
func BadLiteral[W worker](w W, id int) {
	w.work(&task{id}) // want pattern=type-parameter-method
}

// The same call through an interface.
//
// run &tired{}, 7
//
//go:noinline
func NearInterface(w worker, id int) {
	w.work(&task{id}) // want pattern=interface-method-argument
}

//go:noinline
func GoodConcrete(w *tired, id int) {
	t := task{id} // want none
	w.work(&t)
}

// Generic code that calls no method of its type parameter.
//
//go:noinline
func GoodNoMethod[T any](values []T, id int) int {
	t := &task{id} // want none
	return len(values) + t.id
}

// UseAll makes the instances that the compiler speaks of.
func UseAll(w *tired) int {
	BadTypeParameter(w, 1)
	BadLiteral(w, 2)
	return GoodNoMethod([]int{1}, 3)
}
