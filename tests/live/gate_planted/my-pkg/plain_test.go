package mypkg

func inTest(n int) *int {
	//whyheap:noescape
	x := n // want noescape
	return &x
}

func UseInTest(numbers []int) (*int, int) {
	n := numbers[9] //gcassert:bce // want bce
	return inTest(n), always(n) // want inline
}
