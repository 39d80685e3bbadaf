// A report service that builds each export in memory: rows, their JSON, and that once more with indentation. Exports are
// rare; that of the year is many times larger than those of a day. It serves no endpoint, so it is observed from outside by its process id.
//
// It prints "ready", dies at the memory limit it is run under, and ends by itself after -for.
//
//lab:limit 160MiB
//lab:seconds 15
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

type row struct {
	ID     int               `json:"id"`
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
	Text   string            `json:"text"`
}

func rows(count int) []row {
	all := make([]row, count)
	for i := range all {
		all[i] = row{i, fmt.Sprint("article-", i), map[string]string{"shelf": fmt.Sprint(i % 97)}, "no note was given"}
	}
	return all
}

// export writes the report; nothing of it is kept.
func export(to io.Writer, count int) error {
	plain, err := json.Marshal(rows(count))
	if err != nil {
		return err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, plain, "", "  "); err != nil {
		return err
	}
	_, err = to.Write(pretty.Bytes())
	return err
}

func main() {
	lifetime := flag.Duration("for", 2*time.Minute, "end after this time")
	yearRows := flag.Int("rows", 300_000, "rows of the largest export")
	flag.Parse()
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	fmt.Println("ready")
	for day := 1; ; day++ {
		for range 28 {
			if err := export(io.Discard, 100); err != nil {
				panic(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		count := 3000
		if day == 3 {
			count = *yearRows
		}
		if err := export(io.Discard, count); err != nil {
			panic(err)
		}
	}
}
