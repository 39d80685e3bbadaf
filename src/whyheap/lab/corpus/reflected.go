package corpus

import (
	"reflect"
	"unsafe"
)

//go:noinline
func TypeOfValue(a any) string { return reflect.TypeOf(a).Name() }

//go:noinline
func KindOfValue(a any) reflect.Kind { return reflect.TypeOf(a).Kind() }

//go:noinline
func ReflectsNew(t reflect.Type) reflect.Value { return reflect.New(t) }

//go:noinline
func ReflectsField(p *point) int { return int(reflect.ValueOf(p).Elem().Field(1).Int()) }

//go:noinline
func ReflectsSlice(t reflect.Type) reflect.Value { return reflect.MakeSlice(t, 5, 5) }

//go:noinline
func DeepEqual(a, b any) bool { return reflect.DeepEqual(a, b) }

//go:noinline
func StringWithoutCopy(b []byte) string { return unsafe.String(&b[0], len(b)) }

//go:noinline
func BytesWithoutCopy(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

var (
	pointType = reflect.TypeOf(point{})
	sliceType = reflect.TypeOf([]int{})
)

var reflected = []Function{
	{"TypeOfValue", func() { TypeOfValue(boxedInt) }},
	{"KindOfValue", func() { KindOfValue(boxedInt) }},
	{"ReflectsNew", func() { ReflectsNew(pointType) }},
	{"ReflectsField", func() { ReflectsField(&aPoint) }},
	{"ReflectsSlice", func() { ReflectsSlice(sliceType) }},
	{"DeepEqual", func() { DeepEqual(boxedInt, boxedInt) }},
	{"StringWithoutCopy", func() { StringWithoutCopy(longBytes) }},
	{"BytesWithoutCopy", func() { BytesWithoutCopy(longText) }},
}
