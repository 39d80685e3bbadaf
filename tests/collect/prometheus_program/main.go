// Command prometheus_program keeps some of what it allocates, and serves what Prometheus scrapes of a pod: /metrics as
// client_golang writes it, /cadvisor as the kubelet does and /kube as kube-state-metrics does.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"
)

const pod = `namespace="prod",pod="shop-1",container="shop"`

var kept [][]byte

func main() {
	address := flag.String("listen", "127.0.0.1:0", "address to serve on")
	restarts := flag.Int("restarts", 0, "what kube-state-metrics counts")
	flag.Parse()
	started := float64(time.Now().UnixNano()) / 1e9
	go grow()
	http.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) { writeProcess(w, started) })
	http.HandleFunc("/cadvisor", func(w http.ResponseWriter, _ *http.Request) { writeContainer(w) })
	http.HandleFunc("/kube", func(w http.ResponseWriter, _ *http.Request) { writeCluster(w, *restarts) })
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(2*time.Minute, func() { os.Exit(0) })
	log.Fatal(http.Serve(listener, nil))
}

// grow keeps 2 MiB a second and drops twice as much.
func grow() {
	for range time.Tick(50 * time.Millisecond) {
		kept = append(kept, make([]byte, 100<<10))
		dropped = make([]byte, 200<<10)
	}
}

var dropped []byte

func writeProcess(w http.ResponseWriter, started float64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for _, metric := range []struct {
		name  string
		value float64
	}{
		{"go_memstats_heap_alloc_bytes", float64(m.HeapAlloc)},
		{"go_memstats_heap_inuse_bytes", float64(m.HeapInuse)},
		{"go_memstats_heap_idle_bytes", float64(m.HeapIdle)},
		{"go_memstats_heap_released_bytes", float64(m.HeapReleased)},
		{"go_memstats_heap_sys_bytes", float64(m.HeapSys)},
		{"go_memstats_stack_inuse_bytes", float64(m.StackInuse)},
		{"go_memstats_sys_bytes", float64(m.Sys)},
		{"go_memstats_next_gc_bytes", float64(m.NextGC)},
		{"go_memstats_last_gc_time_seconds", float64(m.LastGC) / 1e9},
		{"go_memstats_alloc_bytes_total", float64(m.TotalAlloc)},
		{"go_memstats_mspan_sys_bytes", float64(m.MSpanSys)},
		{"go_memstats_gc_sys_bytes", float64(m.GCSys)},
		{"go_gc_duration_seconds_count", float64(m.NumGC)},
		{"go_gc_gogc_percent", 100},
		{"go_gc_gomemlimit_bytes", 9.223372036854776e+18},
		{"go_goroutines", float64(runtime.NumGoroutine())},
		{"process_start_time_seconds", started},
	} {
		fmt.Fprintf(w, "%s %g\n", metric.name, metric.value)
	}
}

func writeContainer(w http.ResponseWriter) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for _, container := range []string{"", "POD"} {
		fmt.Fprintf(w, "container_memory_working_set_bytes{namespace=\"prod\",pod=\"shop-1\",container=%q} 1\n", container)
	}
	fmt.Fprintf(w, "container_memory_working_set_bytes{%s} %d\n", pod, m.Sys)
	fmt.Fprintf(w, "container_memory_rss{%s} %d\n", pod, m.Sys)
	fmt.Fprintf(w, "container_spec_memory_limit_bytes{%s} 0\n", pod)
}

func writeCluster(w http.ResponseWriter, restarts int) {
	fmt.Fprintf(w, "kube_pod_container_resource_limits{%s,resource=\"memory\",unit=\"byte\"} %d\n", pod, 128<<20)
	fmt.Fprintf(w, "kube_pod_container_resource_limits{%s,resource=\"cpu\",unit=\"core\"} 1\n", pod)
	fmt.Fprintf(w, "kube_pod_container_status_restarts_total{%s} %d\n", pod, restarts)
	if restarts > 0 {
		fmt.Fprintf(w, "kube_pod_container_status_last_terminated_reason{%s,reason=\"OOMKilled\"} 1\n", pod)
		fmt.Fprintf(w, "kube_pod_container_status_last_terminated_exitcode{%s} 137\n", pod)
	}
}
