// Command measure prints how many heap objects each function of the corpus makes per run, as JSON.
package main

import (
	"encoding/json"
	"os"
	"runtime"
	"testing"

	"whyheap.lab/corpus"
)

const runs = 100

type measured struct {
	Name   string  `json:"name"`
	Allocs float64 `json:"allocs"`
}

func main() {
	var all []measured
	for _, one := range corpus.Functions {
		all = append(all, measured{one.Name, testing.AllocsPerRun(runs, one.Run)})
	}
	err := json.NewEncoder(os.Stdout).Encode(map[string]any{"go": runtime.Version(), "functions": all})
	if err != nil {
		os.Exit(1)
	}
}
