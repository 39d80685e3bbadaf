// An upload service that reads each body whole with io.ReadAll, which copies into ever larger slices. Most uploads are
// small and now and then some larger ones come together; then a few come that are larger still.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 192MiB
//lab:seconds 15
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"sync"
	"time"
)

// body is what a client sends: so many bytes, in pieces as they come from the network.
type body struct {
	left int
}

func (b *body) Read(piece []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	count := min(len(piece), b.left, 64<<10)
	for i := range piece[:count] {
		piece[i] = byte(i)
	}
	b.left -= count
	return count, nil
}

// upload answers how many bytes came; they are not kept.
func upload(size int) int {
	all, err := io.ReadAll(&body{left: size})
	if err != nil {
		return 0
	}
	time.Sleep(20 * time.Millisecond) // it is checked
	return len(all)
}

func batch(count, size int) {
	var done sync.WaitGroup
	for range count {
		done.Add(1)
		go func() {
			defer done.Done()
			upload(size)
		}()
	}
	done.Wait()
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	largeBytes := flag.Int("large", 48<<20, "bytes of the largest uploads")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		for second := 1; ; second++ {
			for range 20 {
				upload(64 << 10)
				time.Sleep(50 * time.Millisecond)
			}
			if second%3 == 0 {
				batch(5, 1<<20)
			}
			if second == 7 {
				batch(5, *largeBytes)
			}
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
