// A cache with a bound of its own that was chosen without the runtime in mind: full, it takes nearly all that GOMEMLIMIT
// allows. Each new entry evicts an old one, so the live heap stays level, right below the limit.
//
// It prints its pprof address and ends by itself after -for.
//
//lab:limit 256MiB
//lab:env GOMEMLIMIT=56MiB
//lab:seconds 12
package main

import (
	"container/list"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

type entry struct {
	key    string
	fields []string
}

type cache struct {
	byKey map[string]*list.Element
	order *list.List
	most  int
}

func (c *cache) put(key string, fields []string) {
	if c.order.Len() >= c.most {
		oldest := c.order.Back()
		delete(c.byKey, oldest.Value.(*entry).key)
		c.order.Remove(oldest)
	}
	c.byKey[key] = c.order.PushFront(&entry{key, fields})
}

func fields(id int) []string {
	all := make([]string, 0, 6)
	for field := range 6 {
		all = append(all, fmt.Sprint("field ", field, " of user ", id))
	}
	return all
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	entries := flag.Int("entries", 112_000, "bound of the cache")
	perSecond := flag.Int("rate", 30_000, "new users a second")
	flag.Parse()
	users := &cache{map[string]*list.Element{}, list.New(), *entries}
	for id := range *entries {
		users.put(fmt.Sprint("user-", id), fields(id))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	go func() {
		begun := time.Now()
		for id := *entries; ; id++ {
			for float64(id-*entries) > time.Since(begun).Seconds()*float64(*perSecond) {
				time.Sleep(time.Millisecond)
			}
			users.put(fmt.Sprint("user-", id), fields(id))
		}
	}()
	log.Fatal(http.Serve(listener, nil))
}
