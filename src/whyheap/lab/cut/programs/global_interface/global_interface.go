// root: global kept = ..., a package-level variable

package global_interface

var kept any

var other any

func first(n int) { kept = n } // held

func second(s string) { kept = s } // held

func third(n int) { other = n }
