// Package example shows leaking-parameter.
package example

type job struct{ id int }

type queue struct{ jobs []*job }

var first *job

//go:noinline
func (q *queue) put(j *job) { q.jobs[0] = j }

//go:noinline
func keep(j *job) { first = j }

//go:noinline
func read(j *job) int { return j.id }

//go:noinline
func BadFunction(id int) {
	j := job{id} // want pattern=leaking-parameter
	keep(&j)
}

//go:noinline
func BadMethod(q *queue, id int) {
	q.put(&job{id}) // want pattern=leaking-parameter
}

type reader interface{ Read(buffer []byte) int }

// Which method runs is not known: that is the compiler's own reason, call-parameter.
//
//go:noinline
func NearInterface(r reader) int {
	var buffer [64]byte // want pattern=call-parameter
	return r.Read(buffer[:])
}

//go:noinline
func NearFuncValue(f func(*job), id int) {
	j := job{id} // want pattern=call-parameter
	f(&j)
}

//go:noinline
func GoodRead(id int) int {
	j := job{id} // want none
	return read(&j)
}
