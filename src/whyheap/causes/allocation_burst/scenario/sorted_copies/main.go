// A league table that every request sorts on a copy of its own. One request is nothing; at the end of a match many come
// at once. What each holds while it works adds up to more than the container has.
//
// It prints its pprof address, dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 128MiB
//lab:seconds 15
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"sort"
	"time"
)

type player struct {
	id, goals, games int32
	name             [20]byte
}

var league []player

// table returns the best ten; the sorted copy is garbage afterwards.
func table(offset int) [10]player {
	own := make([]player, len(league))
	copy(own, league)
	head := own[:2000]
	sort.Slice(head, func(i, j int) bool { return (head[i].goals+int32(offset))%31 > (head[j].goals+int32(offset))%31 })
	time.Sleep(100 * time.Millisecond) // it is written to a slow client
	return [10]player(own[:10])
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	players := flag.Int("players", 100_000, "players in the league")
	flag.Parse()
	for id := range *players {
		league = append(league, player{id: int32(id), goals: int32(id * 7919 % 101)})
	}
	league = append([]player(nil), league...)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		for minute := 1; ; minute++ {
			for range 15 {
				table(minute)
				time.Sleep(100 * time.Millisecond)
			}
			viewers := 4
			if minute == 3 {
				viewers = 90
			}
			for viewer := range viewers {
				go table(viewer)
			}
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
