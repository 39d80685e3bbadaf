package main

import (
	"net/http"
	"strconv"
)

// Row is one order as the table shows it.
type Row struct {
	ID     int
	Name   string
	Amount int64
}

func orderName(id int) string {
	return "order " + strconv.Itoa(id)
}

func handleOrders(w http.ResponseWriter, r *http.Request) {
	ids := []int{3, 1, 4, 1, 5, 9, 2, 6}
	rows := collect(ids)
	_, _ = w.Write([]byte(join(rows)))
}

// collect loads the rows of the orders, one by one.
func collect(ids []int) []Row {
	var out []Row
	for _, id := range ids {
		row := Row{ID: id, Name: orderName(id)}
		out = append(out, row)
	}
	return out
}
