package main

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

var errMailBusy = errors.New("mail relay is busy")

func mail(body []byte) error {
	time.Sleep(30 * time.Millisecond)
	if len(body) == 0 {
		return errMailBusy
	}
	return nil
}

func wipe(body []byte) {
	for i := range body {
		body[i] = 0
	}
}

func (s *Shop) sendReceipt(order *Order) (sent bool, err error) {
	done := make(chan error)
	body := make([]byte, 8<<10)
	n := copy(body, "Thank you for order "+strconv.Itoa(order.ID)+".\n")
	copy(body[n:], order.Product.Name)
	go func() {
		defer wipe(body)
		done <- mail(body)
	}()
	select {
	case err := <-done:
		return true, err
	case <-time.After(2 * time.Millisecond):
		return false, nil
	}
}

func (s *Shop) handleCheckout(w http.ResponseWriter, r *http.Request) {
	user, err := userOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sent, err := s.sendReceipt(s.loadOrder(user, 0))
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadGateway)
	case sent:
		w.WriteHeader(http.StatusOK)
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}
