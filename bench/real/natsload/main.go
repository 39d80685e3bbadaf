// Natsload uses a NATS server as services do: publish and subscribe, requests, a JetStream work queue, a key-value bucket
// and clients that come and go. It ends by itself.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// counts is what the load has done, to show that it ran.
var counts struct{ published, requests, stored, consumed, keys, clients atomic.Int64 }

func main() {
	url := flag.String("url", nats.DefaultURL, "server")
	seconds := flag.Int("seconds", 60, "end by itself after this time")
	flag.Parse()

	stopped, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	ctx, cancel := context.WithTimeout(stopped, time.Duration(*seconds)*time.Second)
	defer cancel()
	connection, err := nats.Connect(*url, nats.Name("load"))
	check(err)
	defer connection.Close()
	stream, err := jetstream.New(connection)
	check(err)

	go publish(ctx, connection)
	go request(ctx, connection)
	go store(ctx, stream)
	go putKeys(ctx, stream)
	go comeAndGo(ctx, *url)
	<-ctx.Done()
	fmt.Printf("%d published, %d requests, %d stored, %d consumed, %d keys, %d clients\n", counts.published.Load(),
		counts.requests.Load(), counts.stored.Load(), counts.consumed.Load(), counts.keys.Load(), counts.clients.Load())
}

// check ends the load at a fault of its setup: a load that silently does nothing would measure nothing.
func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// every calls work at a bounded rate until ctx ends.
func every(ctx context.Context, pause time.Duration, work func(n int)) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			work(n)
		}
	}
}

func publish(ctx context.Context, connection *nats.Conn) {
	for range 4 {
		_, err := connection.QueueSubscribe("orders.*.created", "billing", func(*nats.Msg) {})
		check(err)
		_, err = connection.Subscribe("orders.>", func(*nats.Msg) {})
		check(err)
	}
	body := make([]byte, 512)
	every(ctx, time.Millisecond, func(n int) {
		for i := range 10 {
			message := nats.NewMsg(fmt.Sprintf("orders.%d.created", (10*n+i)%5000))
			message.Header.Set("Trace-Id", fmt.Sprint(n))
			message.Data = body
			if connection.PublishMsg(message) == nil {
				counts.published.Add(1)
			}
		}
	})
}

func request(ctx context.Context, connection *nats.Conn) {
	_, err := connection.Subscribe("price", func(m *nats.Msg) { _ = m.Respond([]byte("42")) })
	check(err)
	every(ctx, time.Millisecond, func(int) {
		if _, err := connection.Request("price", []byte("item"), time.Second); err == nil {
			counts.requests.Add(1)
		}
	})
}

// store fills two streams, on disk and in memory, and drains the first through a pull consumer.
func store(ctx context.Context, stream jetstream.JetStream) {
	for name, storage := range map[string]jetstream.StorageType{"disk": jetstream.FileStorage, "ram": jetstream.MemoryStorage} {
		_, err := stream.CreateStream(ctx, jetstream.StreamConfig{
			Name: name, Subjects: []string{"jobs." + name + ".>"}, Storage: storage, MaxBytes: 64 << 20,
		})
		check(err)
	}
	consumer, err := stream.CreateConsumer(ctx, "disk", jetstream.ConsumerConfig{Durable: "worker", MaxAckPending: 500})
	check(err)
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		if m.Ack() == nil {
			counts.consumed.Add(1)
		}
	})
	check(err)
	defer consuming.Stop()

	body := make([]byte, 1024)
	every(ctx, time.Millisecond, func(n int) {
		for i, storage := range []string{"disk", "ram"} {
			if _, err := stream.PublishAsync(fmt.Sprintf("jobs.%s.%d", storage, (n+i)%1000), body); err == nil {
				counts.stored.Add(1)
			}
		}
	})
}

func putKeys(ctx context.Context, stream jetstream.JetStream) {
	bucket, err := stream.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "carts", History: 3})
	check(err)
	every(ctx, 2*time.Millisecond, func(n int) {
		if _, err := bucket.PutString(ctx, fmt.Sprintf("user-%d", n%2000), time.Now().String()); err == nil {
			counts.keys.Add(1)
		}
	})
}

// comeAndGo connects, subscribes, speaks and leaves: what short-lived clients cost a server.
func comeAndGo(ctx context.Context, url string) {
	every(ctx, 5*time.Millisecond, func(n int) {
		client, err := nats.Connect(url, nats.Name(fmt.Sprintf("visitor-%d", n)), nats.NoReconnect())
		if err != nil {
			return
		}
		defer client.Close()
		for i := range 8 {
			if _, err := client.SubscribeSync(fmt.Sprintf("visit.%d.%d", n, i)); err != nil {
				return
			}
		}
		if client.Flush() == nil {
			counts.clients.Add(1)
		}
	})
}
