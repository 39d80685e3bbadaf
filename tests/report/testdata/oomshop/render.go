package main

import (
	"fmt"
	"strings"
)

const rowsPerPage = 40

type theme struct {
	open, between, end string
}

var plain = theme{open: "<tr>", between: "</td><td>", end: "</tr>"}

// renderPage builds the body of one page.
func renderPage(key string) []byte {
	var b strings.Builder
	b.WriteString("<h1>" + key + "</h1>")
	for i := range rowsPerPage {
		b.WriteString(plain.open)
		b.WriteString(renderRow(i))
		b.WriteString(plain.end)
	}
	return []byte(b.String())
}

// chunk splits text into pieces of at most size bytes.
func chunk(text string, size int) []string {
	var pieces []string
	for len(text) > size {
		pieces = append(pieces, text[:size])
		text = text[size:]
	}
	return append(pieces, text)
}

// title makes a heading out of a key.
func title(key string) string {
	words := strings.FieldsFunc(key, func(r rune) bool {
		return r == '-' || r == '_'
	})
	for i, word := range words {
		if word == "" {
			continue
		}
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, " ")
}

// join puts all rows into one text.
//
// Each += copies all that came before.
func join(rows []Row) string {
	text := ""
	for _, row := range rows {
		if row.ID == 0 {
			continue
		}
		text += row.Name + "\n"
	}
	return text
}

/*
What renderRow costs is paid for each row of every page.
*/

// cell is one field of a row.
type cell struct {
	value int
	wide  bool
}

func (c cell) String() string {
	if c.wide {
		return strings.Repeat(" ", 8)
	}
	return " "
}

// renderRow prints one row's number.
//
// The number goes through fmt, which takes ...any.
func renderRow(n int) string {
	padding := cell{value: n, wide: n > 9}.String()
	return padding + fmt.Sprintf("%d", n)
}
