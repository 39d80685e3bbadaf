package corpus

import (
	"bufio"
	"bytes"
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	bigmath "math/big"
	"math/rand"
	"net/url"
	"os"
	"path"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

//go:noinline
func MarshalsStruct(p *point) []byte { b, _ := json.Marshal(p); return b }

//go:noinline
func UnmarshalsStruct(b []byte, p *jsonPoint) error { return json.Unmarshal(b, p) }

type jsonPoint struct{ X, Y int }

//go:noinline
func ContextWithValue(ctx context.Context, n int) context.Context {
	return context.WithValue(ctx, contextKey{}, n)
}

type contextKey struct{}

//go:noinline
func ContextWithCancel(ctx context.Context) { _, cancel := context.WithCancel(ctx); cancel() }

//go:noinline
func ContextValue(ctx context.Context) any { return ctx.Value(contextKey{}) }

//go:noinline
func ScansLines(s string) int {
	scanner := bufio.NewScanner(strings.NewReader(s))
	lines := 0
	for scanner.Scan() {
		lines++
	}
	return lines
}

//go:noinline
func NewBufferedReader(r io.Reader) *bufio.Reader { return bufio.NewReader(r) }

//go:noinline
func PrintsToDiscard(n int) { fmt.Fprintf(io.Discard, "%d\n", n) }

//go:noinline
func PrintsTextToDiscard() { fmt.Fprintln(io.Discard, "constant") }

//go:noinline
func LogsToDiscard(n int) { discardLog.Printf("n=%d", n) }

//go:noinline
func MatchesPattern(s string) bool { return aPattern.MatchString(s) }

//go:noinline
func FindsPattern(s string) []string { return aPattern.FindStringSubmatch(s) }

//go:noinline
func EncodesBase64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

//go:noinline
func HashesSha256(b []byte) [32]byte { return sha256.Sum256(b) }

//go:noinline
func NewHash(b []byte) []byte { h := sha256.New(); h.Write(b); return h.Sum(nil) }

//go:noinline
func RandomNumber() int { return rand.Intn(1000) }

//go:noinline
func ParsesURL(s string) *url.URL { u, _ := url.Parse(s); return u }

//go:noinline
func QueryEscapes(s string) string { return url.QueryEscape(s) }

//go:noinline
func JoinsPath(a, b string) string { return path.Join(a, b) }

//go:noinline
func BaseOfPath(s string) string { return path.Base(s) }

//go:noinline
func ReadsEnvironment() string { return os.Getenv("HOME") }

//go:noinline
func MapsString(s string) string { return strings.Map(upper, s) }

func upper(r rune) rune {
	if r == 'a' {
		return 'A'
	}
	return r
}

//go:noinline
func ReplacesMany(s string) string { return aReplacer.Replace(s) }

//go:noinline
func TrimsCutset(s string) string { return strings.Trim(s, "ad") }

//go:noinline
func LastIndexOf(s string) int { return strings.LastIndex(s, "beyond") }

//go:noinline
func CountsSubstring(s string) int { return strings.Count(s, "t") }

//go:noinline
func TitleOfError(err error) string { return err.Error() }

//go:noinline
func ErrorAs(err error) bool {
	var target *failurePointer
	return errors.As(err, &target)
}

//go:noinline
func UnwrapsError(err error) error { return errors.Unwrap(err) }

//go:noinline
func PushesToList(l *list.List, n *point) { l.PushBack(n); l.Init() }

//go:noinline
func AddsBigNumbers(into, a, b *big2) *big2 { return into.Add(a, b) }

type big2 = bigmath.Int

//go:noinline
func NewBigNumber(n int64) *big2 { return bigmath.NewInt(n) }

//go:noinline
func CallersOfFunction(into []uintptr) int { return runtime.Callers(0, into) }

//go:noinline
func CallerOfFunction() int { _, _, line, _ := runtime.Caller(0); return line }

//go:noinline
func SetsTimer() <-chan time.Time { return time.After(time.Hour) }

//go:noinline
func ParsesTime(s string) time.Time { t, _ := time.Parse(time.RFC3339, s); return t }

//go:noinline
func ParsesDuration(s string) time.Duration { d, _ := time.ParseDuration(s); return d }

//go:noinline
func AddsTime(t time.Time) time.Time { return t.Add(time.Hour).Truncate(time.Minute) }

//go:noinline
func StoresInSyncMap(key, value any) { syncMap.Store(key, value) }

//go:noinline
func StoresInValue(v any) { atomicValue.Store(v) }

//go:noinline
func LoadsFromValue() any { return atomicValue.Load() }

//go:noinline
func NewCondition(l sync.Locker) *sync.Cond { return sync.NewCond(l) }

//go:noinline
func CopiesReader(s string) int64 { n, _ := io.Copy(io.Discard, strings.NewReader(s)); return n }

//go:noinline
func ReadsEverything(s string) []byte { b, _ := io.ReadAll(strings.NewReader(s)); return b }

//go:noinline
func SplitsBytes(b []byte) [][]byte { return bytes.Split(b, []byte(" ")) }

//go:noinline
func TrimsBytes(b []byte) []byte { return bytes.TrimSpace(b) }

//go:noinline
func AppendsRune(into []byte, r rune) []byte { return utf8.AppendRune(into[:0], r) }

//go:noinline
func ValidatesText(s string) bool { return utf8.ValidString(s) }

//go:noinline
func BoxesEmptyString(s string) any { return s }

//go:noinline
func StringOfNoBytes(b []byte) string { return string(b) }

//go:noinline
func ConcatenatesWithEmpty(a, b string) string { return a + b }

var (
	jsonText    = []byte(`{"X": 1, "Y": 2}`)
	aContext    = context.WithValue(context.Background(), contextKey{}, 5)
	discardLog  = log.New(io.Discard, "", 0)
	aPattern    = regexp.MustCompile(`(t\w+)-two`)
	aReplacer   = strings.NewReplacer("a", "b", "longer", "shorter")
	aPushList   = list.New()
	bigA, bigB  = bigmath.NewInt(5), bigmath.NewInt(7)
	bigInto     = bigmath.NewInt(1)
	callers     = make([]uintptr, 16)
	atomicValue atomic.Value
	aWrapped        = fmt.Errorf("while: %w", errReady)
	syncKey     any = "key"
)

var packages = []Function{
	{"MarshalsStruct", func() { MarshalsStruct(&aPoint) }},
	{"UnmarshalsStruct", func() { _ = UnmarshalsStruct(jsonText, &aJSON) }},
	{"ContextWithValue", func() { ContextWithValue(aContext, large) }},
	{"ContextWithCancel", func() { ContextWithCancel(aContext) }},
	{"ContextValue", func() { ContextValue(aContext) }},
	{"ScansLines", func() { ScansLines(longText) }},
	{"NewBufferedReader", func() { NewBufferedReader(aReader) }},
	{"PrintsToDiscard", func() { PrintsToDiscard(large) }},
	{"PrintsTextToDiscard", func() { PrintsTextToDiscard() }},
	{"LogsToDiscard", func() { LogsToDiscard(large) }},
	{"MatchesPattern", func() { MatchesPattern(longText) }},
	{"FindsPattern", func() { FindsPattern(longText) }},
	{"EncodesBase64", func() { EncodesBase64(longBytes) }},
	{"HashesSha256", func() { HashesSha256(longBytes) }},
	{"NewHash", func() { NewHash(longBytes) }},
	{"RandomNumber", func() { RandomNumber() }},
	{"ParsesURL", func() { ParsesURL("https://example.com/path?q=1") }},
	{"QueryEscapes", func() { QueryEscapes(longText) }},
	{"JoinsPath", func() { JoinsPath(longText, shortText) }},
	{"BaseOfPath", func() { BaseOfPath("a/path/of/some/length/file.txt") }},
	{"ReadsEnvironment", func() { ReadsEnvironment() }},
	{"MapsString", func() { MapsString(longText) }},
	{"ReplacesMany", func() { ReplacesMany(longText) }},
	{"TrimsCutset", func() { TrimsCutset(longText) }},
	{"LastIndexOf", func() { LastIndexOf(longText) }},
	{"CountsSubstring", func() { CountsSubstring(longText) }},
	{"TitleOfError", func() { TitleOfError(errReady) }},
	{"ErrorAs", func() { ErrorAs(aWrapped) }},
	{"UnwrapsError", func() { _ = UnwrapsError(aWrapped) }},
	{"PushesToList", func() { PushesToList(aPushList, &aPoint) }},
	{"AddsBigNumbers", func() { AddsBigNumbers(bigInto, bigA, bigB) }},
	{"NewBigNumber", func() { NewBigNumber(int64(large)) }},
	{"CallersOfFunction", func() { CallersOfFunction(callers) }},
	{"CallerOfFunction", func() { CallerOfFunction() }},
	{"SetsTimer", func() { SetsTimer() }},
	{"ParsesTime", func() { ParsesTime("2026-11-22T10:00:00Z") }},
	{"ParsesDuration", func() { ParsesDuration("1h15m30s") }},
	{"AddsTime", func() { AddsTime(startTime) }},
	{"StoresInSyncMap", func() { StoresInSyncMap(syncKey, boxedInt) }},
	{"StoresInValue", func() { StoresInValue(boxedInt) }},
	{"LoadsFromValue", func() { LoadsFromValue() }},
	{"NewCondition", func() { NewCondition(&mutex) }},
	{"CopiesReader", func() { CopiesReader(longText) }},
	{"ReadsEverything", func() { ReadsEverything(longText) }},
	{"SplitsBytes", func() { SplitsBytes(longBytes) }},
	{"TrimsBytes", func() { TrimsBytes(longBytes) }},
	{"AppendsRune", func() { AppendsRune(room, '€') }},
	{"ValidatesText", func() { ValidatesText(longText) }},
	{"BoxesEmptyString", func() { BoxesEmptyString("") }},
	{"StringOfNoBytes", func() { StringOfNoBytes(nil) }},
	{"ConcatenatesWithEmpty", func() { ConcatenatesWithEmpty(longText, "") }},
}

var aJSON jsonPoint
