// Package example shows channel-send.
package example

type event struct{ id int }

type envelope struct{ event *event }

//go:noinline
func BadPointer(events chan<- *event, id int) {
	events <- &event{id} // want pattern=channel-send call=newobject until=1.27 // want pattern=channel-send call=mallocgc since=1.27
}

//go:noinline
func BadVariable(events chan<- *event, id int) {
	e := event{id} // want pattern=channel-send call=newobject
	select {
	case events <- &e:
	default:
	}
}

//go:noinline
func BadInStruct(envelopes chan<- envelope, id int) {
	envelopes <- envelope{&event{id}} // want pattern=channel-send
}

//go:noinline
func BadSlice(batches chan<- []int, id int) {
	batches <- []int{id} // want pattern=channel-send
}

// What is sent is an interface: boxing is what allocates.
//
//go:noinline
func NearBoxed(values chan<- any, e event) {
	values <- e // want pattern=interface-boxing
}

//go:noinline
func GoodValue(events chan<- event, id int) {
	events <- event{id} // want none
}
