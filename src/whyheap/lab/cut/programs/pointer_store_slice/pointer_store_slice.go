// root: store b.data = ... in grow

package pointer_store_slice

type buffer struct {
	data []byte
	more []byte
}

func grow(b *buffer, s string) {
	b.data = []byte(s)        // held
	b.data = make([]byte, 64) // held
	b.more = []byte(s)
}
