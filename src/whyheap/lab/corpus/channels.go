package corpus

//go:noinline
func MakesChannel() chan int { return make(chan int) }

//go:noinline
func MakesBufferedChannel() chan int { return make(chan int, 8) }

//go:noinline
func MakesChannelLocally(n int) int { c := make(chan int, 1); c <- n; return <-c }

//go:noinline
func MakesChannelOfEmpty() chan empty { return make(chan empty, 1) }

//go:noinline
func SendsAndReceives(c chan int, n int) int { c <- n; return <-c }

//go:noinline
func SendsPointer(c chan *point, n int) *point { c <- &point{x: n}; return <-c }

//go:noinline
func SendsBigValue(c chan big, b big) int { c <- b; return len((<-c).words) }

//go:noinline
func SelectsWithDefault(c chan int) int {
	select {
	case n := <-c:
		return n
	default:
		return 0
	}
}

//go:noinline
func SelectsOfTwo(a, b chan int) int {
	select {
	case n := <-a:
		return n
	case n := <-b:
		return n
	default:
	}
	return 0
}

//go:noinline
func ClosesChannel() { close(make(chan int)) }

//go:noinline
func LengthOfChannel(c chan int) int { return len(c) + cap(c) }

var (
	intChannel   = make(chan int, 1)
	otherChannel = make(chan int, 1)
	pointChannel = make(chan *point, 1)
	bigChannel   = make(chan big, 1)
)

var channels = []Function{
	{"MakesChannel", func() { MakesChannel() }},
	{"MakesBufferedChannel", func() { MakesBufferedChannel() }},
	{"MakesChannelLocally", func() { MakesChannelLocally(large) }},
	{"MakesChannelOfEmpty", func() { MakesChannelOfEmpty() }},
	{"SendsAndReceives", func() { SendsAndReceives(intChannel, large) }},
	{"SendsPointer", func() { SendsPointer(pointChannel, large) }},
	{"SendsBigValue", func() { SendsBigValue(bigChannel, aBig) }},
	{"SelectsWithDefault", func() { SelectsWithDefault(intChannel) }},
	{"SelectsOfTwo", func() { SelectsOfTwo(intChannel, otherChannel) }},
	{"ClosesChannel", func() { ClosesChannel() }},
	{"LengthOfChannel", func() { LengthOfChannel(intChannel) }},
}
