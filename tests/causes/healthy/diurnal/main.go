// Healthy: a load that swings like day and night, with requests, their memory and their garbage.
package main

import (
	"fmt"
	"log"
	"math"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

const (
	daySeconds    = 8.0
	mostPerSecond = 600.0
)

var catalogue [][]byte

// handle holds what a request needs while it works, and leaves garbage.
func handle(id int) int {
	body := make([]byte, (32+id%32)<<10)
	for i := range body {
		body[i] = catalogue[id%len(catalogue)][i%1024]
	}
	time.Sleep(120 * time.Millisecond)
	return len(string(body[:len(body)/2]))
}

func main() {
	for range 300 {
		catalogue = append(catalogue, make([]byte, 32<<10))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(2*time.Minute, func() { os.Exit(0) })
	go func() {
		begun, due := time.Now(), 0.0
		for id := 0; ; id++ {
			day := time.Since(begun).Seconds() / daySeconds
			due += 1 / (mostPerSecond * (0.55 - 0.45*math.Cos(2*math.Pi*day)))
			time.Sleep(time.Until(begun.Add(time.Duration(due * float64(time.Second)))))
			go handle(id)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
