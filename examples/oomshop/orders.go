package main

import (
	"net/http"
	"strconv"
	"time"
)

type Order struct {
	ID       int
	User     int
	Quantity int
	Cents    int
	Product  Product
	Placed   time.Time
}

type Row struct {
	Order *Order
	Total func() string
}

func (s *Shop) loadOrder(user, n int) *Order {
	id := 100000 + user*64 + n
	product := s.product(id)
	order := Order{
		ID:       id,
		User:     user,
		Quantity: 1 + n%4,
		Product:  product,
		Placed:   s.opened.Add(time.Duration(id) * time.Minute),
	}
	order.Cents = order.Quantity * product.Cents
	return &order
}

func (s *Shop) lazyTotal(order *Order) func() string {
	currency, rate := s.currency, s.rate
	return func() string {
		return money(int(float64(order.Cents)*rate), currency)
	}
}

func (s *Shop) collect(user int) []Row {
	var rows []Row
	for n := 0; n < s.countFor(user); n++ {
		order := s.loadOrder(user, n)
		rows = append(rows, Row{Order: order, Total: s.lazyTotal(order)})
	}
	return rows
}

func (s *Shop) handleOrders(w http.ResponseWriter, r *http.Request) {
	user, err := userOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body := newDraft()
	defer drafts.Put(body)
	body.WriteString("<table>\n")
	for _, row := range s.collect(user) {
		renderRow(body, row)
	}
	body.WriteString("</table>\n")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(body.Bytes())
}

func money(cents int, currency string) string {
	var digits [24]byte
	text := strconv.AppendInt(digits[:0], int64(cents), 10)
	return string(text) + " " + currency
}
