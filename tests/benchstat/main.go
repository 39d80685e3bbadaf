// Benchstat answers with benchstat's own statistics: cases as JSON on stdin, one answer each as JSON on stdout.
package main

import (
	"encoding/json"
	"log"
	"math"
	"os"

	"golang.org/x/perf/benchmath"
)

type question struct {
	Before     []float64 `json:"before"`
	After      []float64 `json:"after"`
	Confidence float64   `json:"confidence"`
}

// answer has p twice, the second one with the samples exchanged; no number where an end of an interval is infinite: JSON knows none.
type answer struct {
	P         float64 `json:"p"`
	Exchanged float64 `json:"exchanged"`
	Before    summary `json:"before"`
	After     summary `json:"after"`
}

type summary struct {
	Center     float64  `json:"center"`
	Lo         *float64 `json:"lo"`
	Hi         *float64 `json:"hi"`
	Confidence float64  `json:"confidence"`
}

func summarize(sample *benchmath.Sample, confidence float64) summary {
	found := benchmath.AssumeNothing.Summary(sample, confidence)
	return summary{found.Center, finite(found.Lo), finite(found.Hi), found.Confidence}
}

func finite(x float64) *float64 {
	if math.IsInf(x, 0) {
		return nil
	}
	return &x
}

func main() {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		log.Fatal(err)
	}
	answers := make([]answer, len(questions))
	for i, asked := range questions {
		before := benchmath.NewSample(asked.Before, &benchmath.DefaultThresholds)
		after := benchmath.NewSample(asked.After, &benchmath.DefaultThresholds)
		answers[i] = answer{
			P:         benchmath.AssumeNothing.Compare(before, after).P,
			Exchanged: benchmath.AssumeNothing.Compare(after, before).P,
			Before:    summarize(before, asked.Confidence),
			After:     summarize(after, asked.Confidence),
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}
