package main

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

type Shop struct {
	currency string
	rate     float64
	products []Product
	opened   time.Time
}

type Product struct {
	Name  string
	Cents int
	Tags  []string
}

var errNoUser = errors.New("user must be a positive number")

func newShop() *Shop {
	names := []string{"teapot", "kettle", "whisk", "ladle", "skillet", "colander", "grater", "peeler"}
	grades := []string{"plain", "steel", "copper", "cast iron"}
	shop := &Shop{currency: "EUR", rate: 0.92, opened: time.Date(2024, 3, 1, 8, 0, 0, 0, time.UTC)}
	shop.products = make([]Product, 0, len(names)*len(grades))
	for i, grade := range grades {
		for j, name := range names {
			shop.products = append(shop.products, Product{
				Name:  grade + " " + name,
				Cents: 1250 + 725*i + 310*j,
				Tags:  []string{"kitchen", grade, name, "in stock", "ships in two days", "gift wrap"},
			})
		}
	}
	return shop
}

func (s *Shop) product(id int) Product {
	return s.products[id%len(s.products)]
}

func (s *Shop) countFor(user int) int {
	return 20 + user%30
}

func userOf(r *http.Request) (int, error) {
	user, err := strconv.Atoi(r.FormValue("user"))
	if err != nil || user <= 0 {
		return 0, errNoUser
	}
	return user, nil
}
