// Httpload asks a list of URLs in turn, from several workers, at a bounded rate, until its time is over.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	seconds := flag.Int("seconds", 60, "end by itself after this time")
	workers := flag.Int("workers", 4, "requests in flight")
	rate := flag.Int("rate", 400, "requests a second, all workers together")
	flag.Parse()
	if flag.NArg() == 0 {
		panic("httpload needs at least one URL")
	}

	stopped, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	ctx, cancel := context.WithTimeout(stopped, time.Duration(*seconds)*time.Second)
	defer cancel()
	ticks := time.NewTicker(time.Second / time.Duration(*rate))
	var served, failed atomic.Int64
	var group sync.WaitGroup
	for worker := range *workers {
		group.Add(1)
		go func() {
			defer group.Done()
			for next := worker; ctx.Err() == nil; next++ {
				<-ticks.C
				if err := ask(flag.Arg(next % flag.NArg())); err != nil {
					failed.Add(1)
				} else {
					served.Add(1)
				}
			}
		}()
	}
	group.Wait()
	fmt.Printf("%d requests, %d failed\n", served.Load(), failed.Load())
}

// ask reads one answer to its end, so that the connection is used again.
func ask(url string) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}
