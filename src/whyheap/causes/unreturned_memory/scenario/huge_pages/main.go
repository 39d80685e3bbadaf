// A service whose heap the kernel backs with huge pages: after a peak one small object in each 2 MiB stays, Go gives all
// the rest back, and the kernel fills the holes again. It asks for that itself (MADV_COLLAPSE, Linux 6.1), as the
// kernel's khugepaged does by and by where transparent huge pages are set to "always".
//
// It prints its pprof address and ends by itself after -for.
//
//lab:limit 160MiB
//lab:seconds 16
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
	"unsafe"
)

const (
	hugePageBytes = 2 << 20
	madvCollapse  = 25 // include/uapi/asm-generic/mman-common.h
)

// peak fills memory with small blocks and returns one of each huge page.
func peak(bytes int) [][]byte {
	kept := map[uintptr][]byte{}
	var all [][]byte
	for size := 0; size < bytes; size += 8 << 10 {
		block := make([]byte, 8<<10)
		block[0] = 1
		all = append(all, block)
		kept[uintptr(unsafe.Pointer(&block[0]))/hugePageBytes] = block
	}
	runtime.KeepAlive(all)
	var blocks [][]byte
	for _, block := range kept {
		blocks = append(blocks, block)
	}
	return blocks
}

// collapse makes one huge page of what surrounds a block.
func collapse(block []byte) syscall.Errno {
	start := uintptr(unsafe.Pointer(&block[0])) &^ (hugePageBytes - 1)
	_, _, errno := syscall.Syscall(syscall.SYS_MADVISE, start, hugePageBytes, madvCollapse)
	return errno
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	bytes := flag.Int("bytes", 120<<20, "of the peak")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		kept := peak(*bytes)
		debug.FreeOSMemory()
		for number := 0; ; number++ {
			if number < len(kept) {
				if errno := collapse(kept[number]); errno != 0 && number == 0 {
					fmt.Fprintln(os.Stderr, "madvise:", errno)
				}
			}
			page := make([]byte, 64<<10) // small requests from now on
			page[number%len(page)] = kept[0][0]
			time.Sleep(5 * time.Millisecond)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
