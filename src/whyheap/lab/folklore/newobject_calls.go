// Claim: The compiler optimises calls of runtime.newobject into runtime.mallocgc.
// Truth: Up to Go 1.26 compiled code calls runtime.newobject. Go 1.27 calls variants of mallocgc that are made for one
// size class, for small objects; others go on calling newobject.
// Probe: assembly
// Predicts: small.mallocgc_calls == 1, making a small object calls a function of the mallocgc family
// Predicts: large.mallocgc_calls == 1, and so does making a large one
// Shows: small.newobject_calls, calls of newobject for the small object
// Shows: large.newobject_calls, and for the large one
package main

type pair struct{ a, b int }

type page struct{ data [512]int }

//go:noinline
func small() *pair { return new(pair) }

//go:noinline
func large() *page { return new(page) }

func main() {
	println(small().a, large().data[0])
}
