// Package corpus holds functions whose allocations are measured, and what they are run with.
//
// A function is told by its machine code, callees included, and measured with ordinary arguments: sizes above 32 bytes,
// integers above 255, strings that are not empty. Where the name says otherwise (Small, Empty, NotTaken), the run is about that.
package corpus

// Function is one function of the corpus: its name, and a run of it.
type Function struct {
	Name string
	Run  func()
}

// Functions are all of them, by theme.
var Functions = join(
	escapes, boxing, text, maps, slices, closures, channels, deferred, generic, dispatch,
	library, packages, inlined, sizes, flow, quiet, reflected,
)

func join(parts ...[]Function) []Function {
	var all []Function
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

type point struct{ x, y, z int }

type node struct {
	next  *node
	value int
}

type big struct{ words [64]int }

type empty struct{}

var (
	sinkAny     any
	sinkPointer *point
	sinkNode    *node
	sinkInt     *int
	sinkBytes   []byte
	sinkInts    []int
	sinkString  string
	sinkFunc    func() int
	sinkBig     *big
	sinkMap     map[string]int
	sinkError   error
	sinkNumber  int
	yes         = true
	no          = false
	many        = 100
	few         = 3
	none        = 0
	large       = 123456
	longText    = "a text that is longer than thirty-two bytes, well beyond"
	shortText   = "ab"
	longBytes   = []byte(longText)
	numbers     = []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}
	table       = map[string]int{"one": 1, "two": 2, longText: 3}
	byNumber    = map[int]string{1: "one", 1000: "thousand"}
)
