package mypkg_test

//whyheap:noalloc
func Outside(n int) []int {
	return make([]int, n) // want noalloc
}
