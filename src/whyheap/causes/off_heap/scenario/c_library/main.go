// A service that parses documents with a C library. The library keeps a tree of small nodes for each document until it
// is closed, and the Go side drops the handle without closing it: the C allocator's arenas of several threads fill up.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 160MiB
//lab:seconds 16
package main

/*
#include <stdlib.h>
#include <string.h>

typedef struct node { struct node *next; char text[88]; } node;
typedef struct document { node *first; int nodes; } document;

static document *document_parse(int nodes) {
	document *d = calloc(1, sizeof *d);
	for (int i = 0; i < nodes; i++) {
		node *n = malloc(sizeof *n);
		memset(n->text, 'x', sizeof n->text);
		n->next = d->first;
		d->first = n;
		d->nodes++;
	}
	return d;
}

static int document_nodes(document *d) { return d->nodes; }

static void document_close(document *d) {
	while (d->first) {
		node *n = d->first;
		d->first = n->next;
		free(n);
	}
	free(d);
}
*/
import "C"

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

type document struct{ handle *C.document }

// parse reads a text; count closes only what is empty.
func parse(nodes int) document { return document{C.document_parse(C.int(nodes))} }

func (d document) count() int {
	nodes := int(C.document_nodes(d.handle))
	if nodes == 0 {
		C.document_close(d.handle)
	}
	return nodes
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	nodes := flag.Int("nodes", 2000, "of one document")
	workers := flag.Int("workers", 4, "that parse side by side")
	perSecond := flag.Int("rate", 15, "documents a second for each worker")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	for range *workers {
		go func() {
			total := 0
			for range time.Tick(time.Second / time.Duration(*perSecond)) {
				answer := make([]byte, 100<<10) // garbage, as any service makes
				total += parse(*nodes).count() + len(answer)
			}
		}()
	}
	log.Fatal(http.Serve(listener, nil))
}
