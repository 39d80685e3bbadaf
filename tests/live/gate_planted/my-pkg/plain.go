// Package mypkg breaks each rule of a gate at least once; `want` tells where.
package mypkg

var kept *int

func big(n int) int {
	if n > 1 {
		return big(n-1) + big(n-2)
	}
	return n
}

func small(n int) int { return n + 1 }

func Escapes() *int {
	//whyheap:noescape
	x := 1 // want noescape
	return &x
}

func Stays() int {
	//whyheap:noescape
	x := 1
	p := &x //whyheap:noescape,noalloc
	return *p
}

//whyheap:noescape
func Whole(p *int) {
	y := *p // want noescape
	kept = &y
}

// Param is annotated as gcassert has it: of its first line alone.
//
//gcassert:noescape
func Param(n int) *int { // want noescape
	return &n
}

//gcassert:noescape
func Body() *int {
	z := 3
	return &z
}

//whyheap:noalloc
func Silent(a, b string) string {
	return a + b // want noalloc
}

//whyheap:noalloc
func Callee(n int) []int {
	return grown(n) // want noalloc
}

//go:noinline
func grown(n int) []int { return make([]int, n) }

//whyheap:noalloc
func Sum(numbers []int) (sum int) {
	for _, number := range numbers {
		sum += number
	}
	if sum < 0 {
		panic("an error on the way out is no allocation")
	}
	return sum
}

func Bounds(numbers []int, i int) int {
	//gcassert:bce
	a := numbers[i] // want bce
	for j := range numbers {
		a += numbers[j] //gcassert:bce
	}
	a += len(numbers[2:i]) //gcassert:bce // want bce
	return a
}

func Calls(n int) int {
	n = small(n) //gcassert:inline
	//gcassert:inline
	n = big(n) // want inline
	n++        //gcassert:inline // want directive
	//whyheap:frugal // want directive
	n--
	//gcassert:bce,noalloc // want directive
	return n + [2]int{1, 2}[n&1]
}

//gcassert:inline
//go:noinline
func always(n int) int { return n + 2 }

type counter int

//gcassert:inline
func (c *counter) add(n int) {
	*c += counter(big(n) + big(n+1) + big(n+2))
}

//gcassert:inline
func (c *counter) one() { *c++ }

func Users(n int) int {
	var c counter
	c.one()
	c.add(n)         // want inline
	return always(n) // want inline
}

//whyheap:noescape // want directive
type idle struct{}

// Recursive calls itself: what it allocates elsewhere is allocated by that call, too.
func Recursive(n int) []int {
	if n == 0 {
		return make([]int, big(n))
	}
	//whyheap:noalloc
	return Recursive(n - 1) // want noalloc
}

// Literal calls a func literal of its own, whose body is elsewhere.
func Literal(n int) (all []int) {
	var grow func(int) []int
	grow = func(m int) []int {
		if m == 0 {
			return make([]int, n)
		}
		return grow(m - 1)
	}
	grow(n)
	return all //whyheap:noalloc
}

//whyheap:noalloc
var atStart = grown(3) // want noalloc

var (
	//whyheap:noalloc
	grouped = grown(4) // want noalloc
	quiet   = big(5)   //whyheap:noalloc
)

// Each is inlined into its caller, and what the caller hands it into it: that is not its own.
//
//whyheap:noalloc,noescape
func Each(n int, f func(int)) {
	for i := 0; i < n; i++ {
		f(i)
	}
}

func HandsOver(n int) {
	Each(n, func(i int) { //whyheap:noalloc,noescape
		j := i
		kept = &j
	})
	Each(n, func(i int) { j := i; kept = &j }) //whyheap:noalloc,noescape // want noalloc // want noescape
}
