// Command cmd makes everything alive for the linker.
package main

import (
	"fmt"

	"example.com/archive.v3/shop"
	"example.com/archive.v3/user"
)

func main() {
	item := shop.New(1)
	made, index, done, text := shop.Fill(3, "x")
	shop.Start(func() { done <- *item })
	fmt.Println(item.Grow(nil), made, index, text, shop.Use("y"), shop.Counter(1)(), shop.Add(1, 2))
	fmt.Println(user.Buy(3), user.Join([]string{"a", "b"}))
}
