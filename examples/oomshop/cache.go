package main

import (
	"bytes"
	"net/http"
	"sync"
)

const pageSize = 16 << 10

var (
	pageLock  sync.RWMutex
	pageCache = map[string][]byte{}
)

var drafts = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func newDraft() *bytes.Buffer {
	draft := drafts.Get().(*bytes.Buffer)
	draft.Reset()
	return draft
}

func lookupPage(key string) ([]byte, bool) {
	pageLock.RLock()
	defer pageLock.RUnlock()
	page, ok := pageCache[key]
	return page, ok
}

func storePage(key string, draft []byte) []byte {
	page := make([]byte, pageSize)
	n := copy(page, draft)
	pageLock.Lock()
	defer pageLock.Unlock()
	pageCache[key] = page[:n]
	return page[:n]
}

func (s *Shop) buildPage(key string) []byte {
	draft := newDraft()
	defer drafts.Put(draft)
	draft.WriteString("<!doctype html>\n<title>oomshop</title>\n<ul>\n")
	for round := 0; round < 4; round++ {
		for i := range s.products {
			product := &s.products[i]
			draft.WriteString("<li>")
			draft.WriteString(product.Name)
			for _, tag := range product.Tags {
				draft.WriteString(" <em>")
				draft.WriteString(tag)
				draft.WriteString("</em>")
			}
			draft.WriteString("</li>\n")
		}
	}
	draft.WriteString("</ul>\n")
	return storePage(key, draft.Bytes())
}

func (s *Shop) handlePage(w http.ResponseWriter, r *http.Request) {
	key := r.URL.RequestURI()
	page, ok := lookupPage(key)
	if !ok {
		page = s.buildPage(key)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(page)
}
