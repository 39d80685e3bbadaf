// A recommender that loads its model before it serves anything. The model is of a fixed size, larger than the container:
// the process dies during the load, each time it is started. It is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 128MiB
//lab:or live-heap-growth
//lab:seconds 15
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

type layer struct {
	weights [][]float32
}

// loadModel reads the layers one after the other.
func loadModel(layers, rows int) []*layer {
	var model []*layer
	for number := range layers {
		one := &layer{}
		for row := range rows {
			weights := make([]float32, 256)
			for i := range weights {
				weights[i] = float32(number * row * i)
			}
			one.weights = append(one.weights, weights)
		}
		model = append(model, one)
		time.Sleep(100 * time.Millisecond) // it comes from a disk
	}
	return model
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	layers := flag.Int("layers", 160, "layers of the model, 1 MiB each")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	model := loadModel(*layers, 1024)
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, len(model)) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, nil))
}
