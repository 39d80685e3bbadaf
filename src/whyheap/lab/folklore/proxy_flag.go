// Claim: A proxy with a flag that validates pointers stops all malicious headers.
// Truth: There is no such flag, and headers hold no pointers. A proxy hands a header with a hostile number on as it is;
// what stops it is the bounds check in the service. Fuzzing and checkptr builds find such places before.
// Probe: run
// Predicts: delivered == 0, the header does not get through a reverse proxy
// Predicts: pointer_options > 0, the proxy has an option about pointers
// Shows: bounds_check_failed, the service's own bounds check stops the access
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"reflect"
	"strconv"
	"strings"
)

var table [8]int

func main() {
	log.SetOutput(io.Discard)
	delivered, failed := 0, 0
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		index, err := strconv.Atoi(r.Header.Get("X-Index"))
		if err == nil {
			delivered = 1
		}
		defer func() {
			if recover() != nil {
				failed = 1
			}
		}()
		fmt.Fprintln(w, table[index])
	}))
	address, err := url.Parse(service.URL)
	if err != nil {
		panic(err)
	}
	proxy := httptest.NewServer(httputil.NewSingleHostReverseProxy(address))
	request, err := http.NewRequest(http.MethodGet, proxy.URL, nil)
	if err != nil {
		panic(err)
	}
	request.Header.Set("X-Index", "1000000")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	answer.Body.Close()
	proxy.Close()
	service.Close()
	options := 0
	fields := reflect.TypeOf(httputil.ReverseProxy{})
	for i := 0; i < fields.NumField(); i++ {
		if strings.Contains(strings.ToLower(fields.Field(i).Name), "pointer") {
			options++
		}
	}
	fmt.Println("delivered", delivered)
	fmt.Println("bounds_check_failed", failed)
	fmt.Println("pointer_options", options)
}
