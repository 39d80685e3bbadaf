package corpus

//go:noinline
func ClosureReturned(n int) func() int { return func() int { return n } }

//go:noinline
func ClosureCapturesNothing() func() int { return func() int { return 42 } }

//go:noinline
func ClosureCalledLocally(n int) int { f := func() int { return n + 1 }; return f() }

//go:noinline
func ClosureToCallee(n int) int { return callIt(func() int { return n }) }

//go:noinline
func callIt(f func() int) int { return f() }

//go:noinline
func ClosureKept(n int) { sinkFunc = func() int { return n } }

//go:noinline
func ClosureByReference(n int) func() int {
	count := n
	return func() int { count++; return count }
}

//go:noinline
func ClosureModifiesLocal(n int) int {
	total := 0
	add := func(by int) { total += by }
	add(n)
	add(n)
	return total
}

//go:noinline
func ClosureOfBigValue(b big) func() int { return func() int { return b.words[3] } }

//go:noinline
func ClosuresInLoop(n int) []func() int {
	all := make([]func() int, 0, 4)
	for i := 0; i < n; i++ {
		all = append(all, func() int { return i })
	}
	return all
}

type counter struct{ n int }

//go:noinline
func (c *counter) Add() int { c.n++; return c.n }

//go:noinline
func (c counter) Get() int { return c.n }

//go:noinline
func MethodValueReturned(c *counter) func() int { return c.Add }

//go:noinline
func MethodValueOfValue(c counter) func() int { return c.Get }

//go:noinline
func MethodValueCalled(c *counter) int { f := c.Add; return f() }

//go:noinline
func MethodExpression(c *counter) int { f := (*counter).Add; return f(c) }

//go:noinline
func FunctionVariableCalled(f func() int) int { return f() }

//go:noinline
func ChoiceOfFunctions(left bool, n int) int {
	f := addOne
	if left {
		f = addTwo
	}
	return f(&n)
}

func addOne(p *int) int { return *p + 1 }
func addTwo(p *int) int { return *p + 2 }

//go:noinline
func RecursiveClosure(n int) int {
	var walk func(int) int
	walk = func(k int) int {
		if k == 0 {
			return 0
		}
		return walk(k-1) + 1
	}
	return walk(n)
}

//go:noinline
func RangeOverFunc(n int) int {
	total := 0
	each(n, func(i int) bool { total += i; return true })
	return total
}

//go:noinline
func each(n int, yield func(int) bool) {
	for i := 0; i < n; i++ {
		if !yield(i) {
			return
		}
	}
}

var (
	aCounter = &counter{}
	readyFun = func() int { return 3 }
	aBig     = big{}
)

var closures = []Function{
	{"ClosureReturned", func() { ClosureReturned(large) }},
	{"ClosureCapturesNothing", func() { ClosureCapturesNothing() }},
	{"ClosureCalledLocally", func() { ClosureCalledLocally(large) }},
	{"ClosureToCallee", func() { ClosureToCallee(large) }},
	{"ClosureKept", func() { ClosureKept(large) }},
	{"ClosureByReference", func() { ClosureByReference(large) }},
	{"ClosureModifiesLocal", func() { ClosureModifiesLocal(large) }},
	{"ClosureOfBigValue", func() { ClosureOfBigValue(aBig) }},
	{"ClosuresInLoop", func() { ClosuresInLoop(few) }},
	{"MethodValueReturned", func() { MethodValueReturned(aCounter) }},
	{"MethodValueOfValue", func() { MethodValueOfValue(*aCounter) }},
	{"MethodValueCalled", func() { MethodValueCalled(aCounter) }},
	{"MethodExpression", func() { MethodExpression(aCounter) }},
	{"FunctionVariableCalled", func() { FunctionVariableCalled(readyFun) }},
	{"ChoiceOfFunctions", func() { ChoiceOfFunctions(yes, large) }},
	{"RecursiveClosure", func() { RecursiveClosure(few) }},
	{"RangeOverFunc", func() { RangeOverFunc(few) }},
}
