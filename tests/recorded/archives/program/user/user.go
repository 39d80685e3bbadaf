// Package user has code of package shop inlined.
package user

import (
	"strings"

	"example.com/archive.v3/shop"
)

// Buy inlines shop.Twice and with it shop.New, which it never calls.
func Buy(price int) []*shop.Item {
	first, second := shop.Twice(price)
	return []*shop.Item{first, second}
}

// Join has the standard library's code inlined.
func Join(names []string) string {
	var text strings.Builder
	for _, name := range names {
		text.WriteString(name)
	}
	return text.String()
}
