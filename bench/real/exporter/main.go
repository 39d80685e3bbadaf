// Exporter serves a synthetic /metrics for Prometheus to scrape: many series, labels that churn slowly, one histogram.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"net/http"
	"sync/atomic"
	"time"
)

func main() {
	address := flag.String("listen", "127.0.0.1:0", "address to serve on")
	series := flag.Int("series", 4000, "series in one scrape")
	seconds := flag.Int("seconds", 300, "end by itself after this time")
	flag.Parse()

	time.AfterFunc(time.Duration(*seconds)*time.Second, func() { log.Fatal("the time is over") })
	var scrapes atomic.Int64
	http.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		writeMetrics(w, *series, scrapes.Add(1))
	})
	log.Fatal(http.ListenAndServe(*address, nil))
}

// writeMetrics prints the text exposition format. A tenth of the series gets a new label value every 20 scrapes.
func writeMetrics(w http.ResponseWriter, series int, scrape int64) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	out := bufio.NewWriter(w)
	defer out.Flush()

	fmt.Fprint(out, "# HELP shop_requests_total Requests served.\n# TYPE shop_requests_total counter\n")
	for i := range series {
		release := int64(0)
		if i%10 == 0 {
			release = scrape / 20
		}
		fmt.Fprintf(out, "shop_requests_total{handler=\"/orders/%d\",code=\"%d\",pod=\"shop-%d\",release=\"r%d\"} %d\n",
			i%200, 200+100*(i%4), i/200, release, scrape*int64(i+1))
	}
	fmt.Fprint(out, "# HELP shop_latency_seconds Latency.\n# TYPE shop_latency_seconds histogram\n")
	for i := range series / 20 {
		for _, bound := range []string{"0.01", "0.1", "1", "10", "+Inf"} {
			fmt.Fprintf(out, "shop_latency_seconds_bucket{handler=\"/orders/%d\",le=\"%s\"} %d\n", i, bound, scrape)
		}
		fmt.Fprintf(out, "shop_latency_seconds_sum{handler=\"/orders/%d\"} %d\n", i, scrape)
		fmt.Fprintf(out, "shop_latency_seconds_count{handler=\"/orders/%d\"} %d\n", i, scrape)
	}
}
