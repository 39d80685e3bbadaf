package mypkg

func leak(p *int) { kept = p }

func fresh() *int { return new(int) }

func pair(s string) []string { return []string{s, s} }

func first(numbers []int) int { return numbers[0] }

func Outer() {
	//whyheap:noescape
	n := 2 // want noescape
	leak(&n)
}

func OuterFresh() *int {
	return fresh() //whyheap:noescape // want noescape
}

//whyheap:noalloc
func OuterPair(s string) []string {
	return pair(s) // want noalloc
}

func OuterFirst(numbers []int) int {
	//gcassert:bce,inline
	return first(numbers) // want bce
}
