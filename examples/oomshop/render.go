package main

import (
	"bytes"
	"fmt"
	"net/http"
)

func renderRow(body *bytes.Buffer, row Row) {
	id := fmt.Sprintf("%d", row.Order.ID)
	cents := fmt.Sprintf("%d", row.Order.Cents)
	link := fmt.Sprintf("<a class=\"order\" href=\"/orders/%s?currency=EUR\">%s</a>", id, row.Order.Product.Name)

	body.WriteString("<tr><td>")
	body.WriteString(link)
	body.WriteString("</td><td>")
	body.WriteString(cents)
	body.WriteString("</td><td>")
	body.WriteString(row.Total())
	body.WriteString("</td></tr>\n")
}

func exportLine(body *bytes.Buffer, order *Order) {
	line := order.Product.Name
	for _, tag := range order.Product.Tags {
		line += ";"
		line += tag
	}
	body.WriteString(line)
	body.WriteByte('\n')
}

func (s *Shop) handleExport(w http.ResponseWriter, r *http.Request) {
	user, err := userOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body := newDraft()
	defer drafts.Put(body)
	for _, row := range s.collect(user) {
		exportLine(body, row.Order)
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Write(body.Bytes())
}
