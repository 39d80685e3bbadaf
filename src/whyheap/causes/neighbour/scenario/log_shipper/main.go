// A service with a level heap shares its group with a log shipper that buffers what it cannot send. The shipper grows,
// the group reaches its limit, and the kernel kills whoever is largest then: the service.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 144MiB
//lab:neighbour -ship
//lab:seconds 18
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
	"time"
)

// ship buffers lines for a receiver that does not answer.
func ship() {
	var waiting [][]byte
	for range time.Tick(50 * time.Millisecond) {
		lines := make([]byte, 256<<10)
		for at := range lines {
			lines[at] = '.'
		}
		waiting = append(waiting, lines)
	}
	runtime.KeepAlive(waiting)
}

// serve holds a table that was loaded at the start, and answers from it.
func serve(tableBytes int) {
	table := make([]byte, tableBytes)
	for at := range table {
		table[at] = byte(at)
	}
	for number := 0; ; number++ {
		answer := make([]byte, 4<<10)
		copy(answer, table[number%1024:])
		time.Sleep(20 * time.Millisecond)
	}
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	tableBytes := flag.Int("table", 84<<20, "bytes of the table")
	shipper := flag.Bool("ship", false, "be the log shipper")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	if *shipper {
		fmt.Println("ready")
		ship()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	go serve(*tableBytes)
	log.Fatal(http.Serve(listener, nil))
}
