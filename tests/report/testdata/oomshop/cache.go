package main

import (
	"sync"
	"time"
)

// Page is one rendered page, ready to be sent.
type Page struct {
	Key      string
	Body     []byte
	Rendered time.Time
	Hits     int
}

// pageCache holds every page that was ever asked for.
var pageCache = map[string]*Page{}

// Cache serves pages and keeps them.
type Cache struct {
	mu   sync.Mutex
	size int
}

// Get returns the page for a key and renders it the first time.
func (c *Cache) Get(key string) *Page {
	c.mu.Lock()
	defer c.mu.Unlock()
	if page, ok := pageCache[key]; ok {
		page.Hits++
		return page
	}
	page := c.fill(key)
	return page
}

// fill renders a page and stores it under its key. Nothing ever
// leaves the map again.
func (c *Cache) fill(key string) *Page {
	body := renderPage(key)
	p := &Page{Key: key, Body: body, Rendered: time.Now()}
	c.size += len(body)
	pageCache[key] = p
	return p
}
