// root: parameter take(b []byte)

package parameter_slice

var kept []byte

//go:noinline
func take(b []byte) { kept = b }

func fixed() { take(make([]byte, 64)) } // held

func text(s string) { take([]byte(s)) } // held

func literal() { take([]byte{1, 2, 3}) } // held

func other() { kept = make([]byte, 64) }
