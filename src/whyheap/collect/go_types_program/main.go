// Command types tells the types of expressions, and formats source, as the toolchain that built it does.
//
//	types check < request.json     what go/types knows of the declarations around the wanted lines
//	types format < texts.json      what gofmt makes of each text
//	types regexp < text.json       whether a regular expression compiles
package main

import (
	"encoding/json"
	"fmt"
	"go/format"
	"os"
	"regexp"
)

type formatted struct {
	Text  string `json:"text"`
	Error string `json:"error"`
}

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: types check|format|regexp"))
	}
	var answer any
	switch os.Args[1] {
	case "check":
		var wanted request
		read(&wanted)
		answer = check(wanted)
	case "regexp":
		var expression string
		read(&expression)
		_, err := regexp.Compile(expression)
		answer = err == nil
	case "format":
		var texts []string
		read(&texts)
		all := make([]formatted, 0, len(texts))
		for _, text := range texts {
			done, err := format.Source([]byte(text))
			if err != nil {
				all = append(all, formatted{Error: err.Error()})
				continue
			}
			all = append(all, formatted{Text: string(done)})
		}
		answer = all
	default:
		fail(fmt.Errorf("usage: types check|format|regexp"))
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		fail(err)
	}
}

func read(into any) {
	if err := json.NewDecoder(os.Stdin).Decode(into); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
