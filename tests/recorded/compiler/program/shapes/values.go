// Package shapes holds one example of everything that the compiler's diagnostics can say.
package shapes

import (
	"fmt"
	"io"
	"strings"
)

var kept any

type Point struct{ X, Y int }

func Address(n int) *Point { return &Point{n, n} }

func Moved(n int) *int {
	n++
	local := n * 2
	_ = &local
	return &n
}

func OneLine(s string) any { return s }

func Twice() any {
	return []int{1, 2, 3} // literal and boxing: the same text twice at one place
}

func TwoLines(
	first int,
	second *Point,
) (*int, *Point) {
	return &first, second
}

func Evil(x string) {
	kept = "flow: {heap} ← &x: and a: b escapes to heap"
	kept = "x escapes to heap in Evil:"
	kept = "from x (spill) at shapes/values.go:1:1" + x
	fmt.Println("parameter x leaks to {heap} with derefs=0:", x, "moved to heap: x", "a \"quoted\" `raw` }")
	fmt.Println(`two
lines`, "tab\t and \\n")
}

func Größe(größe int, 世界 *Point) *int {
	kept = 世界
	return &größe
}

func Grow(ids []int) []*Point {
	var out []*Point
	for i, id := range ids {
		out = append(out, &Point{X: id, Y: i})
	}
	return append(out, Address(len(out)))
}

func GrowLocal(n int) int {
	var numbers []int
	for i := range n {
		numbers = append(numbers, i)
	}
	return len(numbers)
}

func Sized(n int) ([]byte, int) {
	size := 64
	fixed := make([]byte, size)
	dynamic := make([]int, n)
	empty := make([]struct{}, n)
	huge := new([1 << 20]int)
	return append(fixed, byte(len(empty)+huge[0])), len(dynamic)
}

func Bounds(a []int, i int, s string) (int, string) {
	_ = a[3]
	return a[0] + a[i], s[i:]
}

func Text(b []byte, s string) (string, []byte) {
	t := string(b) + s
	for range []byte(s) {
		t += "!"
	}
	return t, []byte(t)
}

func Variadic(parts ...any) int { return len(parts) }

func VariadicKept(parts ...*Point) { kept = parts }

func Call(n int) {
	Variadic(n, "constant", Point{n, n})
	VariadicKept(&Point{n, n}, nil)
	fmt.Println(strings.Repeat("=", n))
}

func Closures(names []string) []func() string {
	count := 0
	var out []func() string
	for _, name := range names {
		out = append(out, func() string {
			count++
			inner := func() *string { return &name }
			return *inner()
		})
	}
	defer func() { kept = count }()
	go func(n *int) { kept = n }(&count)
	return out
}

type list struct {
	next *list
	data []byte
}

func (l *list) Trim() { l.data = l.data[1:] }

func (l *list) Push(next *list) *list {
	l.next = next
	return l
}

type namer interface{ Name() string }

func (p Point) Name() string   { return fmt.Sprint(p.X, ":", p.Y) }
func (p *Point) Rename() namer { return p }

type Wrapper struct {
	namer
	*list
}

func Devirtualised() string {
	var n namer = Point{1, 2}
	return n.Name()
}

func Copy(w io.Writer, r io.Reader) (int64, error) { return io.Copy(w, struct{ io.Reader }{r}) }

func MapAndChannel(key string, value *Point) map[string]*Point {
	m := map[string]*Point{key: value}
	m["other"] = &Point{}
	c := make(chan *Point, 1)
	c <- &Point{}
	select {
	case got := <-c:
		m["got"] = got
	default:
	}
	switch v := kept.(type) {
	case *Point:
		m["kept"] = v
	case error:
		kept = v.Error()
	}
	return m
}

func Method(p *Point) func() string { return p.Name }

var Package = func(n int) *int { return &n }

var table = [...]func() *Point{
	func() *Point { return &Point{} },
}
