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
func keepSecond(j, k *job) { first = k }

//go:noinline
func read(j *job) int { return j.id }

//go:noinline
func BadFunction(id int) {
	j := job{id} // want pattern=leaking-parameter call=newobject
	keep(&j)
}

// run &queue{jobs: make([]*job, 1)}, 7
//
//go:noinline
func BadMethod(q *queue, id int) {
	q.put(&job{id}) // want pattern=leaking-parameter
}

//go:noinline
func (q queue) putAll(jobs ...*job) { q.jobs[0] = jobs[0] }

// run &queue{jobs: make([]*job, 1)}, 7
//
//go:noinline
func BadValueReceiver(q *queue, id int) {
	j := &job{id} // want pattern=leaking-parameter
	q.putAll(j)
}

// Only the second parameter leaks.
//
//go:noinline
func BadSecond(id int) {
	j := &job{id} // want none
	k := &job{id} // want pattern=leaking-parameter
	keepSecond(j, k)
}

// run never it panics
//
//go:noinline
func BadPanic(id int) {
	panic(&job{id}) // want pattern=leaking-parameter
}

type reader interface{ Read(buffer []byte) int }

// Which method runs is not known.
//
// run never no type here implements reader
//
//go:noinline
func NearInterface(r reader) int {
	var buffer [64]byte // want pattern=interface-method-argument
	return r.Read(buffer[:])
}

//go:noinline
func NearFuncValue(f func(*job), id int) {
	j := job{id} // want pattern=indirect-call-argument
	f(&j)
}

//go:noinline
func GoodRead(id int) int {
	j := job{id} // want none
	return read(&j)
}
