// An HTTP service that asks another one for each request. The other one has become slow, a minute for each answer, and
// nothing limits how many requests wait for it, each with the body it has read.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 88MiB
//lab:seconds 16
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

type gateway struct {
	prices string // address of the service that is asked
	client http.Client
}

// order reads what is ordered, asks for the price and answers.
func (g *gateway) order(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	answer, err := g.client.Get(g.prices)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	fmt.Fprintln(w, len(body), body[:16], answer.Status)
}

// slow accepts connections and answers each a minute later.
func slow(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		time.AfterFunc(time.Minute, func() {
			fmt.Fprintf(conn, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
			conn.Close()
		})
	}
}

// ask sends a request and leaves the connection open: its client waits.
func ask(address string, body []byte) net.Conn {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	out := bufio.NewWriter(conn)
	fmt.Fprintf(out, "POST /order HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n", len(body))
	out.Write(body)
	out.Flush()
	return conn
}

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 40, "requests a second")
	flag.Parse()
	listener, prices := listen(), listen()
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	front := &gateway{prices: "http://" + prices.Addr().String()}
	http.HandleFunc("/order", front.order)
	go slow(prices)
	go func() {
		var clients []net.Conn
		for range time.Tick(time.Second / time.Duration(*perSecond)) {
			clients = append(clients, ask(listener.Addr().String(), make([]byte, 48<<10)))
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
