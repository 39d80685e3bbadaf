package corpus

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/bits"
	stdslices "slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"
)

//go:noinline
func FormatsNumber(n int) string { return strconv.Itoa(n) }

//go:noinline
func FormatsSmallNumber(n int) string { return strconv.Itoa(n) }

//go:noinline
func AppendsNumber(into []byte, n int) []byte { return strconv.AppendInt(into[:0], int64(n), 10) }

//go:noinline
func ParsesNumber(s string) int { n, _ := strconv.Atoi(s); return n }

//go:noinline
func FailsToParse(s string) error { _, err := strconv.Atoi(s); return err }

//go:noinline
func QuotesText(s string) string { return strconv.Quote(s) }

//go:noinline
func FormatsFloat(f float64) string { return strconv.FormatFloat(f, 'f', 3, 64) }

//go:noinline
func Sprints(n int) string { return fmt.Sprintf("%d of %s", n, longText) }

//go:noinline
func SprintsPlain(s string) string { return fmt.Sprint(s) }

//go:noinline
func FormatsError(n int) error { return fmt.Errorf("code %d", n) }

//go:noinline
func FormatsConstantError() error { return fmt.Errorf("constant") }

//go:noinline
func WrapsError(err error) error { return fmt.Errorf("while reading: %w", err) }

//go:noinline
func NewError(s string) error { return errors.New(s) }

//go:noinline
func NewConstantError() error { return errors.New("constant") }

//go:noinline
func ChecksError(err error) bool { return errors.Is(err, errReady) }

//go:noinline
func JoinsErrors(a, b error) error { return errors.Join(a, b) }

//go:noinline
func JoinsStrings(all []string) string { return strings.Join(all, ", ") }

//go:noinline
func SplitsString(s string) []string { return strings.Split(s, " ") }

//go:noinline
func RepeatsString(s string, n int) string { return strings.Repeat(s, n) }

//go:noinline
func ReplacesInString(s string) string { return strings.ReplaceAll(s, "longer", "shorter") }

//go:noinline
func UppersString(s string) string { return strings.ToUpper(s) }

//go:noinline
func TrimsString(s string) string { return strings.TrimSpace(s) }

//go:noinline
func FindsInString(s string) int { return strings.Index(s, "thirty") }

//go:noinline
func ContainsString(s string) bool { return strings.Contains(s, "bytes") }

//go:noinline
func CutsString(s string) string { before, _, _ := strings.Cut(s, ","); return before }

//go:noinline
func HasPrefix(s string) bool { return strings.HasPrefix(s, "a text") }

//go:noinline
func EqualsFolded(a, b string) bool { return strings.EqualFold(a, b) }

//go:noinline
func FieldsOfString(s string) []string { return strings.Fields(s) }

//go:noinline
func BuildsString(s string) string {
	var b strings.Builder
	b.WriteString(s)
	b.WriteString(s)
	return b.String()
}

//go:noinline
func BuildsGrownString(s string) string {
	var b strings.Builder
	b.Grow(200)
	b.WriteString(s)
	return b.String()
}

//go:noinline
func NewReaderOfString(s string) *strings.Reader { return strings.NewReader(s) }

//go:noinline
func WritesToBuffer(b *bytes.Buffer, s string) { b.Reset(); b.WriteString(s) }

//go:noinline
func NewBuffer(s string) *bytes.Buffer { return bytes.NewBufferString(s) }

//go:noinline
func ComparesBytes(a, b []byte) bool { return bytes.Equal(a, b) }

//go:noinline
func FindsInBytes(b []byte) int { return bytes.IndexByte(b, 'w') }

//go:noinline
func ClonesBytes(b []byte) []byte { return bytes.Clone(b) }

//go:noinline
func SortsInts(s []int) { sort.Ints(s) }

//go:noinline
func SortsSliceByFunc(s []int) { sort.Slice(s, func(i, j int) bool { return s[i] < s[j] }) }

//go:noinline
func SortsGenerically(s []int) { stdslices.Sort(s) }

//go:noinline
func SearchesInts(s []int, n int) int { return sort.SearchInts(s, n) }

//go:noinline
func ClonesSlice(s []int) []int { return stdslices.Clone(s) }

//go:noinline
func ContainsInSlice(s []int, n int) bool { return stdslices.Contains(s, n) }

//go:noinline
func ReversesSlice(s []int) { stdslices.Reverse(s) }

//go:noinline
func TakesTime() int64 { return time.Now().UnixNano() }

//go:noinline
func MeasuresTime(start time.Time) time.Duration { return time.Since(start) }

//go:noinline
func FormatsTime(t time.Time) string { return t.Format(time.RFC3339) }

//go:noinline
func FormatsDuration(d time.Duration) string { return d.String() }

//go:noinline
func StartsTimer() { time.NewTimer(time.Hour).Stop() }

//go:noinline
func UsesPool() int {
	b := pool.Get().(*big)
	b.words[0]++
	n := b.words[0]
	pool.Put(b)
	return n
}

//go:noinline
func CountsAtomically() int64 { return atomicCount.Add(1) }

//go:noinline
func StoresInAtomicValue(p *point) { atomicPointer.Store(p) }

//go:noinline
func LoadsFromSyncMap(key any) bool { _, ok := syncMap.Load(key); return ok }

//go:noinline
func SquareRoot(f float64) float64 { return math.Sqrt(f) + math.Floor(f) }

//go:noinline
func CountsBits(n uint64) int { return bits.OnesCount64(n) + bits.LeadingZeros64(n) }

//go:noinline
func PowerOf(f float64) float64 { return math.Pow(f, 2.5) }

//go:noinline
func PutsBinary(into []byte, n uint32) { binary.LittleEndian.PutUint32(into, n) }

//go:noinline
func EncodesHex(b []byte) string { return hex.EncodeToString(b) }

//go:noinline
func SumsChecksum(b []byte) uint32 { return crc32.ChecksumIEEE(b) }

//go:noinline
func DecodesRune(s string) rune { r, _ := utf8.DecodeRuneInString(s); return unicode.ToUpper(r) }

//go:noinline
func CountsRunes(s string) int { return utf8.RuneCountInString(s) }

var (
	pool          = sync.Pool{New: func() any { return new(big) }}
	atomicCount   atomic.Int64
	atomicPointer atomic.Pointer[point]
	syncMap       sync.Map
	words         = []string{longText, shortText, "three"}
	aBuffer       = bytes.NewBuffer(make([]byte, 0, 256))
	startTime     = time.Now()
	sorted        = []int{1, 2, 3, 4, 5}
)

var library = []Function{
	{"FormatsNumber", func() { FormatsNumber(large) }},
	{"FormatsSmallNumber", func() { FormatsSmallNumber(few) }},
	{"AppendsNumber", func() { AppendsNumber(room, large) }},
	{"ParsesNumber", func() { ParsesNumber("123456") }},
	{"FailsToParse", func() { _ = FailsToParse("x1") }},
	{"QuotesText", func() { QuotesText(longText) }},
	{"FormatsFloat", func() { FormatsFloat(12345.678) }},
	{"Sprints", func() { Sprints(large) }},
	{"SprintsPlain", func() { SprintsPlain(longText) }},
	{"FormatsError", func() { _ = FormatsError(large) }},
	{"FormatsConstantError", func() { _ = FormatsConstantError() }},
	{"WrapsError", func() { _ = WrapsError(errReady) }},
	{"NewError", func() { _ = NewError(longText) }},
	{"NewConstantError", func() { _ = NewConstantError() }},
	{"ChecksError", func() { ChecksError(errReady) }},
	{"JoinsErrors", func() { _ = JoinsErrors(errReady, errReady) }},
	{"JoinsStrings", func() { JoinsStrings(words) }},
	{"SplitsString", func() { SplitsString(longText) }},
	{"RepeatsString", func() { RepeatsString(longText, few) }},
	{"ReplacesInString", func() { ReplacesInString(longText) }},
	{"UppersString", func() { UppersString(longText) }},
	{"TrimsString", func() { TrimsString(longText) }},
	{"FindsInString", func() { FindsInString(longText) }},
	{"ContainsString", func() { ContainsString(longText) }},
	{"CutsString", func() { CutsString(longText) }},
	{"HasPrefix", func() { HasPrefix(longText) }},
	{"EqualsFolded", func() { EqualsFolded(longText, longText) }},
	{"FieldsOfString", func() { FieldsOfString(longText) }},
	{"BuildsString", func() { BuildsString(longText) }},
	{"BuildsGrownString", func() { BuildsGrownString(longText) }},
	{"NewReaderOfString", func() { NewReaderOfString(longText) }},
	{"WritesToBuffer", func() { WritesToBuffer(aBuffer, longText) }},
	{"NewBuffer", func() { NewBuffer(longText) }},
	{"ComparesBytes", func() { ComparesBytes(longBytes, oneBytes) }},
	{"FindsInBytes", func() { FindsInBytes(longBytes) }},
	{"ClonesBytes", func() { ClonesBytes(longBytes) }},
	{"SortsInts", func() { SortsInts(sorted) }},
	{"SortsSliceByFunc", func() { SortsSliceByFunc(sorted) }},
	{"SortsGenerically", func() { SortsGenerically(sorted) }},
	{"SearchesInts", func() { SearchesInts(sorted, 3) }},
	{"ClonesSlice", func() { ClonesSlice(numbers) }},
	{"ContainsInSlice", func() { ContainsInSlice(numbers, 3) }},
	{"ReversesSlice", func() { ReversesSlice(scratch) }},
	{"TakesTime", func() { TakesTime() }},
	{"MeasuresTime", func() { MeasuresTime(startTime) }},
	{"FormatsTime", func() { FormatsTime(startTime) }},
	{"FormatsDuration", func() { FormatsDuration(12345678) }},
	{"StartsTimer", func() { StartsTimer() }},
	{"UsesPool", func() { UsesPool() }},
	{"CountsAtomically", func() { CountsAtomically() }},
	{"StoresInAtomicValue", func() { StoresInAtomicValue(&aPoint) }},
	{"LoadsFromSyncMap", func() { LoadsFromSyncMap(boxedInt) }},
	{"SquareRoot", func() { SquareRoot(2.5) }},
	{"CountsBits", func() { CountsBits(uint64(large)) }},
	{"PowerOf", func() { PowerOf(2.5) }},
	{"PutsBinary", func() { PutsBinary(room[:8], uint32(large)) }},
	{"EncodesHex", func() { EncodesHex(longBytes) }},
	{"SumsChecksum", func() { SumsChecksum(longBytes) }},
	{"DecodesRune", func() { DecodesRune(longText) }},
	{"CountsRunes", func() { CountsRunes(longText) }},
}
