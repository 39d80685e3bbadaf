// Package other instantiates generics of my-pkg.
package other

import mypkg "example.com/planted/my-pkg"

func Use() (any, *string) {
	return mypkg.Only(struct{ a, b int }{1, 2}), mypkg.Kept("a")
}
