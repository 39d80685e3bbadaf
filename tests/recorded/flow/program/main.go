// Command flow has functions whose allocator calls lie on different paths; scripts/record_flow.py records their code.
package main

import "sync"

type thing struct{ a, b, c int }

var (
	sink  *thing
	kept  any
	mutex sync.Mutex
	total int
)

//go:noinline
func Always(n int) *thing { return &thing{a: n} }

//go:noinline
func Branch(ok bool) {
	if ok {
		sink = &thing{}
	}
}

//go:noinline
func BothBranches(ok bool) *thing {
	if ok {
		return &thing{a: 1}
	}
	return &thing{b: 1}
}

//go:noinline
func Loop(n int) {
	for i := 0; i < n; i++ {
		sink = &thing{a: i}
	}
}

//go:noinline
func ConstantLoop() {
	for i := 0; i < 4; i++ {
		sink = &thing{a: i}
	}
}

//go:noinline
func NestedLoop(n int) {
	for i := 0; i < n; i++ {
		for j := 0; j < n; j++ {
			sink = &thing{a: i, b: j}
		}
	}
}

//go:noinline
func BranchInLoop(n int) {
	for i := 0; i < n; i++ {
		if i&1 == 0 {
			sink = &thing{a: i}
		}
	}
}

//go:noinline
func AfterLoop(n int) *thing {
	for i := 0; i < n; i++ {
		total += i
	}
	return &thing{}
}

//go:noinline
func Cold(n int) int {
	if n < 0 {
		panic(&thing{a: n})
	}
	return n
}

//go:noinline
func Checked(s []int, i int) *thing { return &thing{a: s[i]} }

//go:noinline
func Endless(c chan int) {
	for {
		sink = &thing{a: <-c}
	}
}

//go:noinline
func Deferred() *thing {
	mutex.Lock()
	defer mutex.Unlock()
	return &thing{}
}

//go:noinline
func DeferredInLoop(n int) *thing {
	for i := 0; i < n; i++ {
		defer note(i)
	}
	return &thing{}
}

//go:noinline
func Recovers(n int) (result *thing) {
	defer func() {
		if recover() != nil {
			result = nil
		}
	}()
	return Always(n)
}

//go:noinline
func note(n int) { total += n }

//go:noinline
func Switch(n int) *thing {
	switch n {
	case 0:
		total = 5
	case 1:
		note(1)
	case 2:
		note(7)
	case 3:
		sink = &thing{}
	case 4:
		note(9)
	case 5:
	case 6:
		note(11)
	case 7:
		total++
	case 8:
		return nil
	}
	return &thing{b: n}
}

//go:noinline
func StringOf(b []byte) string { return string(b) }

//go:noinline
func StringCompared(b []byte) bool { return string(b)+"x" == "abx" }

//go:noinline
func Boxed(n int) any { return n }

//go:noinline
func Indirect(f func() int) int { return f() }

//go:noinline
func Quiet(n int) int { return n * n }

func main() {
	note(total)
	Always(1)
	Branch(total > 0)
	BothBranches(total > 0)
	Loop(total)
	ConstantLoop()
	NestedLoop(total)
	BranchInLoop(total)
	AfterLoop(total)
	Cold(total)
	Checked([]int{1, 2}, total)
	Deferred()
	DeferredInLoop(total)
	Recovers(total)
	Switch(total)
	kept = StringOf([]byte("some bytes"))
	StringCompared([]byte("some bytes"))
	kept = Boxed(total)
	Indirect(func() int { return total })
	Quiet(total)
	Endless(make(chan int))
}
