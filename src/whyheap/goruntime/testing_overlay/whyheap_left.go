package testing

// Which goroutines tests left, and which test left one.

import (
	"bytes"
	"strings"
)

// whyheapLeft lists the goroutines that tests left, how many harmless ones there are by rule, and how many belong to
// goroutines that were there before the tests, as a server's that TestMain started.
func whyheapLeft() (left []whyheapGoroutine, harmless map[string]int, children int) {
	harmless = map[string]int{}
	self := whyheapNumber()
	all := whyheapGoroutines()
	living := map[int]int{}
	for _, one := range all {
		living[one.id] = one.creator
	}
	for _, one := range all {
		switch {
		case one.id == self || whyheap.known[one.id] || whyheapIsRuntimes(one):
		case whyheapIsHarmless(one, harmless):
		case whyheapIsOfKnown(one, living, self) && !whyheapIsLeaked(one):
			children++
		default:
			left = append(left, one)
		}
	}
	return left, harmless, children
}

// whyheapIsRuntimes says whether the runtime started a goroutine for itself, as for threads that C has started.
func whyheapIsRuntimes(one whyheapGoroutine) bool {
	_, frames, _ := strings.Cut(one.trace, "\n")
	for _, line := range strings.Split(frames, "\n") {
		if !strings.HasPrefix(line, "\t") && !strings.HasPrefix(strings.TrimPrefix(line, "created by "), "runtime.") {
			return false
		}
	}
	return true
}

// whyheapIsOfKnown says whether a goroutine comes, by whichever others, from one that was there before the tests.
func whyheapIsOfKnown(one whyheapGoroutine, living map[int]int, self int) bool {
	for creator, depth := one.creator, 0; creator != 0 && creator != self && depth < 100; depth++ {
		if whyheap.known[creator] {
			return true
		}
		creator = living[creator]
	}
	return false
}

func whyheapIsHarmless(one whyheapGoroutine, counts map[string]int) bool {
	for _, rule := range whyheap.rules {
		matches := true
		for _, part := range rule.parts {
			matches = matches && (strings.Contains(one.trace, "\n"+part+"(") ||
				strings.Contains(one.trace, "\ncreated by "+part+" in goroutine "))
		}
		if matches {
			counts[rule.name]++
			return true
		}
	}
	return false
}

// whyheapOwnerOf follows goroutine after goroutine to the test that started the first one. Who started one is printed
// since Go 1.21; a goroutine that is gone ends the search, and then it counts which test was the last before it was seen.
func whyheapOwnerOf(one whyheapGoroutine, living map[int]int) whyheapOwner {
	for creator, depth := one.creator, 0; creator != 0 && depth < 100; depth++ {
		if name, found := whyheap.runners[creator]; found {
			return whyheapOwner{name, "created"}
		}
		if owner, found := whyheap.owners[creator]; found {
			return owner
		}
		creator = living[creator]
	}
	if owner, found := whyheap.owners[one.id]; found {
		return owner
	}
	return whyheapOwner{"", "parallel"}
}

// whyheapFindLeaked lets the runtime mark the goroutines that can never go on; false where it cannot (before Go 1.26,
// and in 1.26 without GOEXPERIMENT=goroutineleakprofile).
func whyheapFindLeaked(m *M) (found bool) {
	defer func() {
		if recover() != nil {
			found = false
		}
	}()
	var none bytes.Buffer
	return m.deps.WriteProfileTo("goroutineleak", &none, 1) == nil
}

func whyheapIsLeaked(one whyheapGoroutine) bool {
	header, _, _ := strings.Cut(one.trace, "\n")
	return strings.Contains(header, " (leaked)")
}

func whyheapAnyLeaked(left []whyheapGoroutine) bool {
	for _, one := range left {
		if whyheapIsLeaked(one) {
			return true
		}
	}
	return false
}

func whyheapAllLeaked(left []whyheapGoroutine) bool {
	for _, one := range left {
		if !whyheapIsLeaked(one) {
			return false
		}
	}
	return true
}
