package corpus

//go:noinline
func AllocatesInConstantLoop() {
	for i := 0; i < 4; i++ {
		sinkPointer = &point{x: i}
	}
}

//go:noinline
func AllocatesInVariableLoop(n int) {
	for i := 0; i < n; i++ {
		sinkPointer = &point{x: i}
	}
}

//go:noinline
func AllocatesInLoopNotEntered(n int) {
	for i := 0; i < n; i++ {
		sinkPointer = &point{x: i}
	}
}

//go:noinline
func AllocatesAfterLoop(n int) *point {
	total := 0
	for i := 0; i < n; i++ {
		total += i
	}
	return &point{x: total}
}

//go:noinline
func AllocatesInNestedLoop(n int) {
	for i := 0; i < n; i++ {
		for j := 0; j < n; j++ {
			sinkPointer = &point{i, j, 0}
		}
	}
}

//go:noinline
func AllocatesInSwitch(n int) *point {
	switch n {
	case 1:
		return &point{x: 1}
	case 2:
		return &point{y: 1}
	default:
		return &point{z: 1}
	}
}

//go:noinline
func AllocatesInSomeCases(n int) *point {
	switch n {
	case 1:
		return &point{x: 1}
	case 2, 3:
		return nil
	}
	return slot
}

//go:noinline
func JumpTableAllAllocate(n int) *point {
	p := new(point)
	switch n {
	case 0:
		p.x = 5
	case 1:
		p.y = 6
	case 2:
		p.z = sinkNumber
	case 3:
		p.x = few
	case 4:
		p.y = few
	case 5:
		p.z = few
	case 6:
		p.x = large
	case 7:
		p.y = large
	case 8:
		p.z = large
	}
	return p
}

//go:noinline
func JumpTableOneAllocates(n int) int {
	switch n {
	case 0:
		return sinkNumber
	case 1:
		return few + 1
	case 2:
		sinkPointer = &point{}
	case 3:
		return few + 3
	case 4:
		return large
	case 5:
		return large + few
	case 6:
		return many
	case 7:
		return many + few
	case 8:
		return none
	}
	return n
}

//go:noinline
func EarlyReturnTaken(n int) *point {
	if n > 0 {
		return nil
	}
	return &point{}
}

//go:noinline
func EarlyReturnNotTaken(n int) *point {
	if n < 0 {
		return nil
	}
	return &point{}
}

//go:noinline
func ChecksThenAllocates(s []int, i int) *point { return &point{x: s[i], y: s[i+1]} }

//go:noinline
func PanicsWithText(n int) int {
	if n < 0 {
		panic("negative: " + longText)
	}
	return n
}

//go:noinline
func LoopWithBreak(n int) *point {
	for {
		p := &point{x: n}
		if p.x > few {
			sinkPointer = p
			return p
		}
		n++
	}
}

//go:noinline
func GotoOverAllocation(n int) *point {
	if n > 0 {
		goto end
	}
	sinkPointer = &point{}
end:
	return sinkPointer
}

//go:noinline
func RangesOverArray(a *[4]int) int {
	total := 0
	for i, n := range a {
		sinkPointer = &point{i, n, 0}
		total += n
	}
	return total
}

//go:noinline
func LazyAlreadyMade() *point {
	if lazy == nil {
		lazy = &point{}
	}
	return lazy
}

//go:noinline
func RangeOverInteger(n int) int {
	total := 0
	for i := range n {
		total += i
	}
	return total
}

var (
	lazy   = &point{}
	anArry = [4]int{1, 2, 3, 4}
)

var flow = []Function{
	{"AllocatesInConstantLoop", func() { AllocatesInConstantLoop() }},
	{"AllocatesInVariableLoop", func() { AllocatesInVariableLoop(few) }},
	{"AllocatesInLoopNotEntered", func() { AllocatesInLoopNotEntered(none) }},
	{"AllocatesAfterLoop", func() { AllocatesAfterLoop(few) }},
	{"AllocatesInNestedLoop", func() { AllocatesInNestedLoop(few) }},
	{"AllocatesInSwitch", func() { AllocatesInSwitch(few) }},
	{"AllocatesInSomeCases", func() { AllocatesInSomeCases(few) }},
	{"JumpTableAllAllocate", func() { JumpTableAllAllocate(few) }},
	{"JumpTableOneAllocates", func() { JumpTableOneAllocates(few) }},
	{"EarlyReturnTaken", func() { EarlyReturnTaken(few) }},
	{"EarlyReturnNotTaken", func() { EarlyReturnNotTaken(few) }},
	{"ChecksThenAllocates", func() { ChecksThenAllocates(numbers, few) }},
	{"PanicsWithText", func() { PanicsWithText(few) }},
	{"LoopWithBreak", func() { LoopWithBreak(few) }},
	{"GotoOverAllocation", func() { GotoOverAllocation(few) }},
	{"RangesOverArray", func() { RangesOverArray(&anArry) }},
	{"LazyAlreadyMade", func() { LazyAlreadyMade() }},
	{"RangeOverInteger", func() { RangeOverInteger(many) }},
}
