// root: callee fmt.Sprint

package outside_callee

import "fmt"

func first(n int) string { return fmt.Sprint(n) } // held

func second(s string, n int) string {
	return fmt.Sprint(s, n) // held 2
}

func other(n int) any { return n }
