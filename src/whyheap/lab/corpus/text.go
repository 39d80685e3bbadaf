package corpus

//go:noinline
func Concatenates(a, b string) string { return a + b }

//go:noinline
func ConcatenatesThree(a, b string) string { return a + ", " + b }

//go:noinline
func ConcatenatesConstants() string { return "one" + "two" }

//go:noinline
func ConcatenatesLocally(a, b string) int { return len(a + b) }

//go:noinline
func ConcatenatesShortLocally(a, b string) bool { return a+b == "abab" }

//go:noinline
func AppendsToString(s string) string {
	for i := 0; i < 3; i++ {
		s += "more"
	}
	return s
}

//go:noinline
func StringOfBytes(b []byte) string { return string(b) }

//go:noinline
func StringOfShortBytesLocally(b []byte) bool { return string(b) == "ab" }

//go:noinline
func StringAsMapKey(b []byte) int { return table[string(b)] }

//go:noinline
func StringInSwitch(b []byte) int {
	switch string(b) {
	case "one":
		return 1
	case "two":
		return 2
	}
	return 0
}

//go:noinline
func BytesOfString(s string) []byte { return []byte(s) }

//go:noinline
func BytesOfStringRead(s string) int {
	total := 0
	for _, b := range []byte(s) {
		total += int(b)
	}
	return total
}

//go:noinline
func BytesOfStringNotMutated(s string) int { return sumBytes([]byte(s)) }

//go:noinline
func sumBytes(b []byte) int {
	total := 0
	for _, one := range b {
		total += int(one)
	}
	return total
}

//go:noinline
func RunesOfString(s string) []rune { return []rune(s) }

//go:noinline
func StringOfRunes(r []rune) string { return string(r) }

//go:noinline
func StringOfRune(r rune) string { return string(r) }

//go:noinline
func RangesOverString(s string) int {
	total := 0
	for _, r := range s {
		total += int(r)
	}
	return total
}

//go:noinline
func SlicesString(s string) string { return s[3:10] }

//go:noinline
func ComparesStrings(a, b string) bool { return a < b }

//go:noinline
func CopiesToBytes(into []byte, s string) int { return copy(into, s) }

//go:noinline
func AppendsStringToBytes(into []byte, s string) []byte { return append(into[:0], s...) }

//go:noinline
func StringOfPart(b []byte, n int) string {
	if n > len(b) {
		return ""
	}
	return string(b[:n])
}

var (
	someRunes = []rune(longText)
	room      = make([]byte, 0, 256)
	oneBytes  = []byte("one")
)

var text = []Function{
	{"Concatenates", func() { Concatenates(longText, shortText) }},
	{"ConcatenatesThree", func() { ConcatenatesThree(longText, shortText) }},
	{"ConcatenatesConstants", func() { ConcatenatesConstants() }},
	{"ConcatenatesLocally", func() { ConcatenatesLocally(longText, shortText) }},
	{"ConcatenatesShortLocally", func() { ConcatenatesShortLocally(shortText, shortText) }},
	{"AppendsToString", func() { AppendsToString(longText) }},
	{"StringOfBytes", func() { StringOfBytes(longBytes) }},
	{"StringOfShortBytesLocally", func() { StringOfShortBytesLocally(oneBytes) }},
	{"StringAsMapKey", func() { StringAsMapKey(longBytes) }},
	{"StringInSwitch", func() { StringInSwitch(oneBytes) }},
	{"BytesOfString", func() { BytesOfString(longText) }},
	{"BytesOfStringRead", func() { BytesOfStringRead(longText) }},
	{"BytesOfStringNotMutated", func() { BytesOfStringNotMutated(longText) }},
	{"RunesOfString", func() { RunesOfString(longText) }},
	{"StringOfRunes", func() { StringOfRunes(someRunes) }},
	{"StringOfRune", func() { StringOfRune('€') }},
	{"RangesOverString", func() { RangesOverString(longText) }},
	{"SlicesString", func() { SlicesString(longText) }},
	{"ComparesStrings", func() { ComparesStrings(longText, shortText) }},
	{"CopiesToBytes", func() { CopiesToBytes(room[:64], longText) }},
	{"AppendsStringToBytes", func() { AppendsStringToBytes(room, longText) }},
	{"StringOfPart", func() { StringOfPart(longBytes, 40) }},
}
