// A login service after a rush: sessions were made with all their state in small objects, and of each only a token that
// was allocated between them stays. Its spans stay with it. The service then works on at a low rate with larger objects,
// and serves no endpoint, so it is observed from outside by its process id.
//
// It prints "ready" and ends by itself after -for.
//
//lab:limit 128MiB
//lab:seconds 16
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

type token struct {
	user   *string
	secret [16]byte
}

type claim struct {
	next  *claim
	value [16]byte
}

type session struct {
	token  *token
	claims *claim
}

// login makes a session whose claims are as small as its token and so lie around it.
func login(user *string, claims int) *session {
	made := &session{}
	for number := range claims {
		if number == claims/2 {
			made.token = &token{user: user}
		}
		made.claims = &claim{next: made.claims}
	}
	return made
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	rushBytes := flag.Int("rush", 100<<20, "bytes of sessions in the rush")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	const claims = 250
	user := "somebody"
	var tokens []*token
	var open []*session
	for logins := *rushBytes / (claims * 32); len(open) < logins; {
		open = append(open, login(&user, claims))
		if len(open)%40 == 0 {
			time.Sleep(4 * time.Millisecond)
		}
	}
	for _, one := range open {
		tokens = append(tokens, one.token)
	}
	open = nil
	runtime.GC()
	for number := 0; ; number++ { // the day's work
		text := make([]byte, 8<<10+number%2)
		text[0] = byte(number)
		if number%100 == 99 {
			time.Sleep(50 * time.Millisecond)
			runtime.KeepAlive(tokens)
		}
	}
}
