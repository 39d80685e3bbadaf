// A price service that sets GOGC=400 in code "to save CPU": 24 MiB of prices are live, and the collector waits for five
// times that. It serves no endpoint, so it is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 96MiB
//lab:seconds 15
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

type price struct {
	article  string
	currency string
	amounts  [8]int64
}

func load(count int) map[int]*price {
	prices := make(map[int]*price, count)
	for id := range count {
		prices[id] = &price{article: "article-" + strconv.Itoa(id), currency: "EUR", amounts: [8]int64{int64(id)}}
	}
	return prices
}

// list writes some prices as text.
func list(prices map[int]*price, from int) int {
	var text strings.Builder
	for id := from; id < from+200; id++ {
		one := prices[id%len(prices)]
		fmt.Fprintf(&text, "%s %s %d\n", one.article, one.currency, one.amounts[0])
	}
	return text.Len()
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	perSecond := flag.Int("rate", 500, "requests a second")
	flag.Parse()
	debug.SetGCPercent(400)
	prices := load(140_000)
	runtime.GC() // the collector knows now what is live
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	begun := time.Now()
	for request := 0; ; request++ {
		for float64(request) > time.Since(begun).Seconds()*float64(*perSecond) {
			time.Sleep(time.Millisecond)
		}
		list(prices, request)
	}
}
