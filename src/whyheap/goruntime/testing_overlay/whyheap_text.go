package testing

// The texts that whyheap.go reads and writes: stacks of goroutines, settings, and JSON lines.

import (
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// whyheapPlaces returns what equal goroutines have in common: state, functions and lines.
func whyheapPlaces(trace string) string {
	var places strings.Builder
	for i, line := range strings.Split(trace, "\n") {
		switch {
		case i == 0:
			_, line, _ = strings.Cut(line, "[")
			line, _, _ = strings.Cut(line, "]")
			line, _, _ = strings.Cut(line, ",") // how long it has waited
		case strings.HasPrefix(line, "\t"):
			line, _, _ = strings.Cut(line, " +0x")
		case strings.HasPrefix(line, "created by "):
			line, _, _ = strings.Cut(line, " in goroutine ")
		default:
			line = line[:max(strings.LastIndexByte(line, '('), 0)]
		}
		places.WriteString(line)
		places.WriteByte('\n')
	}
	return places.String()
}

// whyheapNumber returns the number of the running goroutine.
func whyheapNumber() int {
	var space [64]byte
	text := space[:runtime.Stack(space[:], false)]
	number, _ := whyheapHeader(string(text))
	return number
}

func whyheapHeader(text string) (int, bool) {
	rest, found := strings.CutPrefix(text, "goroutine ")
	if !found {
		return 0, false
	}
	digits, _, _ := strings.Cut(rest, " ")
	number, err := strconv.Atoi(digits)
	return number, err == nil
}

// whyheapGoroutines lists all goroutines but the runtime's own.
func whyheapGoroutines() []whyheapGoroutine {
	if whyheap.stacks == nil {
		whyheap.stacks = make([]byte, 64<<10)
	}
	length := 0
	for {
		length = runtime.Stack(whyheap.stacks, true)
		if length < len(whyheap.stacks) || length >= whyheapLargestStacks {
			break
		}
		whyheap.stacks = make([]byte, 2*len(whyheap.stacks))
	}
	var all []whyheapGoroutine
	for _, trace := range strings.Split(strings.TrimSuffix(string(whyheap.stacks[:length]), "\n"), "\n\n") {
		number, found := whyheapHeader(trace)
		if !found {
			continue
		}
		creator := 0
		if at := strings.LastIndex(trace, "\ncreated by "); at >= 0 {
			line, _, _ := strings.Cut(trace[at+1:], "\n")
			if at := strings.LastIndex(line, " in goroutine "); at >= 0 {
				creator, _ = strconv.Atoi(line[at+len(" in goroutine "):])
			}
		}
		all = append(all, whyheapGoroutine{number, creator, trace})
	}
	return all
}

func whyheapRead(path string) string {
	file, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer syscall.Close(file)
	var text []byte
	chunk := make([]byte, 16<<10)
	for {
		n, err := syscall.Read(file, chunk)
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 {
			return string(text)
		}
		text = append(text, chunk[:n]...)
	}
}

// whyheapWrite appends a line to this process's file; package os would be seen by tests of package os.
func whyheapWrite(line string) {
	path := whyheap.folder + "/report-" + whyheap.pid + ".jsonl"
	file, err := syscall.Open(path, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_APPEND|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return
	}
	defer syscall.Close(file)
	for rest := []byte(line + "\n"); len(rest) > 0; {
		n, err := syscall.Write(file, rest)
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 {
			return
		}
		rest = rest[n:]
	}
}

func whyheapField(name string, value int64) string {
	return `,"` + name + `":` + strconv.FormatInt(value, 10)
}

func whyheapFlag(name string, value bool) string {
	return `,"` + name + `":` + strconv.FormatBool(value)
}

func whyheapNumbers(name string, values []int) string {
	var list strings.Builder
	for i, value := range values {
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteString(strconv.Itoa(value))
	}
	return `,"` + name + `":[` + list.String() + "]"
}

// whyheapQuote writes a JSON string; encoding/json cannot be imported here.
func whyheapQuote(text string) string {
	var quoted strings.Builder
	quoted.WriteByte('"')
	for _, char := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case char == '"' || char == '\\':
			quoted.WriteByte('\\')
			quoted.WriteRune(char)
		case char == '\n':
			quoted.WriteString(`\n`)
		case char < ' ':
			quoted.WriteString(`\u00`)
			quoted.WriteByte("0123456789abcdef"[char>>4])
			quoted.WriteByte("0123456789abcdef"[char&15])
		default:
			quoted.WriteRune(char)
		}
	}
	quoted.WriteByte('"')
	return quoted.String()
}
