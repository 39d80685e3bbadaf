// A gateway that gives each call a context with a timeout of ten minutes and throws its cancel function away: the
// context, and the request it carries as a value, stay until the timeout, long after the call has returned.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 88MiB
//lab:seconds 16
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

type key struct{}

type request struct {
	number  int
	headers [2048]byte
}

func send(ctx context.Context) int {
	one, _ := ctx.Value(key{}).(*request)
	return one.number + int(one.headers[one.number%len(one.headers)])
}

func call(number int) int {
	one := &request{number: number}
	for i := range one.headers {
		one.headers[i] = byte(i)
	}
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), key{}, one), 10*time.Minute)
	_ = cancel // "the timeout ends it anyway"
	return send(ctx)
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 2000, "calls a second")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		sum, begun := 0, time.Now()
		for number := 0; ; number++ {
			for float64(number) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			sum += call(number)
			answer := make([]byte, 2048+number%2) // garbage, as any service makes
			answer[0] = byte(sum)
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
