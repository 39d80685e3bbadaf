package corpus

//go:noinline
func MakesMap() map[string]int { return map[string]int{} }

//go:noinline
func MakesMapWithHint(n int) map[string]int { return make(map[string]int, n) }

//go:noinline
func MakesMapLocally() int { m := map[int]int{1: 2, 3: 4}; return m[1] }

//go:noinline
func FillsMapLocally(n int) int {
	m := make(map[int]int)
	for i := 0; i < n; i++ {
		m[i] = i
	}
	return len(m)
}

//go:noinline
func MapLiteral() map[string]int { return map[string]int{"one": 1, "two": 2} }

//go:noinline
func ReadsMap(m map[string]int, key string) int { return m[key] }

//go:noinline
func ReadsMapByNumber(m map[int]string, key int) string { return m[key] }

//go:noinline
func ReadsMapWithOk(m map[string]int, key string) bool { _, ok := m[key]; return ok }

//go:noinline
func OverwritesMap(m map[string]int, key string) { m[key] = 5 }

//go:noinline
func IncrementsInMap(m map[string]int, key string) { m[key]++ }

//go:noinline
func DeletesFromMap(m map[string]int, key string) { delete(m, key) }

//go:noinline
func RangesOverMap(m map[string]int) int {
	total := 0
	for _, v := range m {
		total += v
	}
	return total
}

//go:noinline
func ClearsMap(m map[string]int) { clear(m) }

//go:noinline
func MapOfStructKey(m map[point]int, p point) int { return m[p] }

//go:noinline
func MapOfInterfaceKey(m map[any]int, key any) int { return m[key] }

//go:noinline
func MapOfBigValues(m map[int]big) int { return m[1].words[2] }

//go:noinline
func AssignsBigValue(m map[int]big) { m[1] = big{} }

var (
	mapScratch = map[string]int{longText: 1}
	mapCleared = map[string]int{}
	mapPoints  = map[point]int{{1, 2, 3}: 4}
	mapAny     = map[any]int{boxedInt: 2}
	mapBig     = map[int]big{1: {}}
)

var maps = []Function{
	{"MakesMap", func() { MakesMap() }},
	{"MakesMapWithHint", func() { MakesMapWithHint(many) }},
	{"MakesMapLocally", func() { MakesMapLocally() }},
	{"FillsMapLocally", func() { FillsMapLocally(many) }},
	{"MapLiteral", func() { MapLiteral() }},
	{"ReadsMap", func() { ReadsMap(table, longText) }},
	{"ReadsMapByNumber", func() { ReadsMapByNumber(byNumber, 1000) }},
	{"ReadsMapWithOk", func() { ReadsMapWithOk(table, shortText) }},
	{"OverwritesMap", func() { OverwritesMap(mapScratch, longText) }},
	{"IncrementsInMap", func() { IncrementsInMap(mapScratch, longText) }},
	{"DeletesFromMap", func() { DeletesFromMap(mapScratch, shortText) }},
	{"RangesOverMap", func() { RangesOverMap(table) }},
	{"ClearsMap", func() { ClearsMap(mapCleared) }},
	{"MapOfStructKey", func() { MapOfStructKey(mapPoints, aPoint) }},
	{"MapOfInterfaceKey", func() { MapOfInterfaceKey(mapAny, boxedInt) }},
	{"MapOfBigValues", func() { MapOfBigValues(mapBig) }},
	{"AssignsBigValue", func() { AssignsBigValue(mapBig) }},
}
