package main

import "net/http"

var cache Cache

func handlePage(w http.ResponseWriter, r *http.Request) {
	page := cache.Get(title(r.URL.Query().Get("key")))
	for _, piece := range chunk(string(page.Body), 4096) {
		_, _ = w.Write([]byte(piece))
	}
}

func main() {
	http.HandleFunc("/orders", handleOrders)
	http.HandleFunc("/page", handlePage)
	_ = http.ListenAndServe("127.0.0.1:8080", nil)
}
