package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("oomshop: ")
	address := flag.String("listen", "127.0.0.1:6060", "loopback address to listen on; port 0 picks a free one")
	maxSeconds := flag.Int("max-seconds", 0, "end after this many seconds; 0 runs until a signal")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *maxSeconds > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*maxSeconds)*time.Second)
		defer cancel()
	}
	if err := serve(ctx, *address); err != nil {
		log.Fatal(err)
	}
}

func serve(ctx context.Context, address string) error {
	listener, err := listenLoopback(address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           newMux(newShop()),
		ReadHeaderTimeout: 5 * time.Second,
	}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	fmt.Printf("oomshop ready on http://%s pid %d\n", listener.Addr(), os.Getpid())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func listenLoopback(address string) (net.Listener, error) {
	resolved, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("-listen %q is no address: %w", address, err)
	}
	if !resolved.IP.IsLoopback() {
		return nil, fmt.Errorf("-listen %q is not a loopback address, and this service leaks on purpose", address)
	}
	return net.ListenTCP("tcp", resolved)
}

func newMux(shop *Shop) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders", shop.handleOrders)
	mux.HandleFunc("GET /page", shop.handlePage)
	mux.HandleFunc("GET /export", shop.handleExport)
	mux.HandleFunc("POST /checkout", shop.handleCheckout)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
