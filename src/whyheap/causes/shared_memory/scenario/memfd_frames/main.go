// A camera service that hands frames to other processes through memfd_create and maps each: mapping and descriptor of
// old frames are never closed. It serves no endpoint, so it is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 128MiB
//lab:seconds 16
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

var memfdCreate = map[string]uintptr{"amd64": 319, "arm64": 279}[runtime.GOARCH]

type frame struct {
	descriptor int
	pixels     []byte
}

func newFrame(bytes int) frame {
	name := append([]byte("frame"), 0)
	descriptor, _, errno := syscall.Syscall(memfdCreate, uintptr(unsafe.Pointer(&name[0])), 0, 0)
	if errno != 0 {
		log.Fatal(errno)
	}
	if err := syscall.Ftruncate(int(descriptor), int64(bytes)); err != nil {
		log.Fatal(err)
	}
	pixels, err := syscall.Mmap(int(descriptor), 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		log.Fatal(err)
	}
	for at := range pixels {
		pixels[at] = byte(at)
	}
	return frame{int(descriptor), pixels}
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	bytes := flag.Int("bytes", 640<<10, "of one frame")
	perSecond := flag.Int("rate", 20, "frames a second")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	sum := 0
	for range time.Tick(time.Second / time.Duration(*perSecond)) {
		header := make([]byte, 50<<10)
		sum += len(newFrame(*bytes).pixels) + len(header)
	}
}
