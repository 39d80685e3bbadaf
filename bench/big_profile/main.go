// Writes a heap profile of a given number of samples with google/pprof's own encoder.
package main

import (
	"flag"
	"fmt"
	"log"
	"math/rand"
	"os"
	"slices"

	"github.com/google/pprof/profile"
)

// callSites is the number of places in each function that call another one.
const callSites = 4

// blockSize is the number of functions that call each other.
const blockSize = 80

func main() {
	samples := flag.Int("samples", 100_000, "number of samples")
	functions := flag.Int("functions", 8_000, "number of functions")
	output := flag.String("o", "big.pb.gz", "output file")
	flag.Parse()
	file, err := os.Create(*output)
	if err != nil {
		log.Fatal(err)
	}
	if err := synthesize(*samples, *functions).Write(file); err != nil {
		log.Fatal(err)
	}
	if err := file.Close(); err != nil {
		log.Fatal(err)
	}
}

// synthesize makes stacks as a server has them: walks over a call graph, with inlined frames and recursion.
func synthesize(samples, functions int) *profile.Profile {
	random := rand.New(rand.NewSource(1))
	p := &profile.Profile{
		SampleType: []*profile.ValueType{
			{Type: "alloc_objects", Unit: "count"},
			{Type: "alloc_space", Unit: "bytes"},
			{Type: "inuse_objects", Unit: "count"},
			{Type: "inuse_space", Unit: "bytes"},
		},
		PeriodType: &profile.ValueType{Type: "space", Unit: "bytes"},
		Period:     512 << 10,
		TimeNanos:  1_700_000_000_000_000_000,
		Mapping:    []*profile.Mapping{{ID: 1, Start: 0x400000, Limit: 0x4000000, File: "/srv/shop", HasFunctions: true}},
	}
	for id := 1; id <= functions; id++ {
		p.Function = append(p.Function, &profile.Function{
			ID:        uint64(id),
			Name:      fmt.Sprintf("example.com/shop/internal/service%d.(*Handler%d).Process%d", id%97, id%13, id),
			Filename:  fmt.Sprintf("/home/build/shop/internal/service%d/handler%d.go", id%97, id%13),
			StartLine: int64(10 + id%900),
		})
	}
	// Location id is call site id%callSites of function id/callSites, possibly with inlined calls below it.
	for id := range callSites * functions {
		location := &profile.Location{ID: uint64(id + 1), Mapping: p.Mapping[0], Address: uint64(0x400000 + 16*id)}
		for inlined := id%callSites - 2; inlined > 0; inlined-- {
			callee := p.Function[(id/callSites*17+inlined)%functions]
			location.Line = append(location.Line, profile.Line{Function: callee, Line: callee.StartLine + int64(inlined)})
		}
		caller := p.Function[id/callSites]
		location.Line = append(location.Line, profile.Line{Function: caller, Line: caller.StartLine + int64(id%callSites)})
		p.Location = append(p.Location, location)
	}
	for range samples {
		sample := &profile.Sample{}
		// Each block of functions is a service of its own: calls stay inside, as those of real programs mostly do.
		block := random.Intn(functions/blockSize) * blockSize
		function := block
		for depth := 4 + random.Intn(48); depth > 0; depth-- {
			site := function*callSites + random.Intn(callSites)
			sample.Location = append(sample.Location, p.Location[site])
			if random.Intn(30) != 0 { // else it calls itself
				function = block + (function-block+1+site%3)%blockSize
			}
		}
		slices.Reverse(sample.Location)
		size := int64(8 << random.Intn(12))
		objects := 1 + random.Int63n(1<<16)
		live := random.Int63n(objects)
		sample.Value = []int64{objects, objects * size, live, live * size}
		sample.NumLabel = map[string][]int64{"bytes": {size}}
		sample.NumUnit = map[string][]string{"bytes": {"bytes"}}
		p.Sample = append(p.Sample, sample)
	}
	return p
}
