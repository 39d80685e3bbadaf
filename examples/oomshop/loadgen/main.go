package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	maxSeconds = 600
	maxWorkers = 256
	maxRate    = 20000
)

type load struct {
	base    *url.URL
	client  *http.Client
	started atomic.Int64
	failed  atomic.Int64
	bytes   atomic.Int64
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("loadgen: ")
	target := flag.String("url", "http://127.0.0.1:6060", "base address of oomshop, loopback only")
	seconds := flag.Int("seconds", 20, "how long to send requests")
	workers := flag.Int("workers", 8, "requests at the same time")
	rate := flag.Int("rate", 2000, "requests per second at most")
	flag.Parse()

	base, err := parseLoopback(*target)
	if err != nil {
		log.Fatal(err)
	}
	within("seconds", *seconds, maxSeconds)
	within("workers", *workers, maxWorkers)
	within("rate", *rate, maxRate)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(*seconds)*time.Second)
	defer cancel()

	l := &load{base: base, client: newClient(*workers)}
	began := time.Now()
	l.run(ctx, *workers, *rate)
	elapsed := time.Since(began).Seconds()
	fmt.Printf("%d requests in %.1f s (%.0f/s), %d failed, %.1f MB received\n",
		l.started.Load(), elapsed, float64(l.started.Load())/elapsed, l.failed.Load(), float64(l.bytes.Load())/1e6)
	if l.failed.Load() == l.started.Load() {
		os.Exit(1)
	}
}

func within(name string, value, limit int) {
	if value < 1 || value > limit {
		log.Fatalf("-%s must lie between 1 and %d, not %d", name, limit, value)
	}
}

func parseLoopback(target string) (*url.URL, error) {
	base, err := url.Parse(target)
	if err != nil || base.Scheme != "http" || base.Host == "" {
		return nil, fmt.Errorf("-url %q is not of the form http://127.0.0.1:PORT", target)
	}
	ip := net.ParseIP(base.Hostname())
	if base.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("-url %q is not on this machine: only loopback is put under load", target)
	}
	return base, nil
}

func newClient(workers int) *http.Client {
	return &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: workers, MaxConnsPerHost: workers},
	}
}

func (l *load) run(ctx context.Context, workers, rate int) {
	tickets := make(chan int64, workers)
	var group sync.WaitGroup
	for i := 0; i < workers; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for n := range tickets {
				l.send(ctx, n)
			}
		}()
	}
	issue(ctx, tickets, rate)
	close(tickets)
	group.Wait()
}

func issue(ctx context.Context, tickets chan<- int64, rate int) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	began := time.Now()
	for sent := int64(0); ; {
		due := int64(time.Since(began).Seconds() * float64(rate))
		for ; sent < due; sent++ {
			select {
			case tickets <- sent:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func requestFor(n int64) (method, path string) {
	user := strconv.FormatInt(1+n%900, 10)
	switch slot := n % 20; {
	case slot < 11:
		return http.MethodGet, "/orders?user=" + user
	case slot < 15:
		return http.MethodGet, "/page?path=/sale&session=" + strconv.FormatInt(n, 36)
	case slot < 19:
		return http.MethodGet, "/export?user=" + user
	default:
		return http.MethodPost, "/checkout?user=" + user
	}
}

func (l *load) send(ctx context.Context, n int64) {
	method, path := requestFor(n)
	request, err := http.NewRequestWithContext(ctx, method, l.base.Scheme+"://"+l.base.Host+path, nil)
	if err != nil {
		log.Fatal(err)
	}
	response, err := l.client.Do(request)
	if ctx.Err() != nil {
		if err == nil {
			response.Body.Close()
		}
		return
	}
	l.started.Add(1)
	if err != nil {
		l.failed.Add(1)
		return
	}
	defer response.Body.Close()
	received, err := io.Copy(io.Discard, response.Body)
	l.bytes.Add(received)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		l.failed.Add(1)
	}
}
