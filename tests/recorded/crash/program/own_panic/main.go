// Command own_panic panics with words of its own, which may be a secret.
package main

type failure struct{ text string }

func (f failure) Error() string { return f.text }

func main() {
	defer func() { panic(failure{"password=hunter2\nand more"}) }()
	panic("token=abc")
}
