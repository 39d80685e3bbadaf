//go:build planted

package mypkg

func Tagged() *int {
	//whyheap:noescape
	x := 5 // want noescape
	return &x
}

//gcassert:inline
func tagged(n int) int { return big(n) + big(n+1) + big(n+2) }

func UseTagged(numbers []int) int {
	return tagged(numbers[7]) //gcassert:bce // want bce // want inline
}
