// Package example shows indirect-call-argument.
package example

type options struct{ size int }

type option func(*options)

type hooks struct{ done option }

//go:noinline
func BadParameter(apply func(*options)) int {
	var o options // want pattern=indirect-call-argument call=newobject
	apply(&o)
	return o.size
}

//go:noinline
func BadOptions(opts []option) int {
	o := &options{} // want pattern=indirect-call-argument
	for _, opt := range opts {
		opt(o)
	}
	return o.size
}

// run &hooks{done: func(*options) {}}
//
//go:noinline
func BadField(h *hooks) {
	h.done(&options{}) // want pattern=indirect-call-argument
}

var hook option

// run-once hook = func(*options) {}
//
//go:noinline
func BadVariable() {
	hook(&options{}) // want pattern=indirect-call-argument
}

//go:noinline
func choose() option { return nil }

// run never choose returns nil
//
//go:noinline
func BadResult() {
	choose()(&options{}) // want pattern=indirect-call-argument
}

//go:noinline
func one(o *options) { o.size = 1 }

//go:noinline
func two(o *options) { o.size = 2 }

// One of two known functions.
//
//go:noinline
func NearKnown(second bool) int {
	f := one
	if second {
		f = two
	}
	var o options // want pattern=indirect-call-argument until=1.27 // want none since=1.27
	f(&o)
	return o.size
}

type setter interface{ set(*options) }

// run never no type here implements setter
//
//go:noinline
func NearInterface(s setter) {
	s.set(&options{}) // want pattern=interface-method-argument
}

//go:noinline
func GoodDirect() int {
	var o options // want none
	one(&o)
	return o.size
}

//go:noinline
func GoodLocalClosure(n int) int {
	set := func(o *options) { o.size = n }
	var o options // want none
	set(&o)
	return o.size
}
