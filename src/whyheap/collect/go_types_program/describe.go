package main

import (
	"go/types"
	"path/filepath"
	"regexp"
)

// A typeInfo refers to other types by their index, -1 for none; bytes are -1 where they are not known.
type typeInfo struct {
	Text     string   `json:"text"`
	Kind     string   `json:"kind"`
	Basic    string   `json:"basic"`
	Named    bool     `json:"named"`
	Nameable bool     `json:"nameable"`
	Plain    bool     `json:"plain"`
	Bytes    int64    `json:"bytes"`
	Elem     int      `json:"elem"`
	Key      int      `json:"key"`
	Methods  []string `json:"methods"`
}

type objectInfo struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	Level string `json:"level"`
	Path  string `json:"path"`
	File  string `json:"file"`
	Start int    `json:"start"`
	Type  int    `json:"type"`
}

func (f *checkedFile) object(object types.Object) int {
	if index, ok := f.objectIndex[object]; ok {
		return index
	}
	index := len(f.Objects)
	f.objectIndex[object] = index
	f.Objects = append(f.Objects, objectInfo{})
	at := f.fset.PositionFor(object.Pos(), false)
	one := objectInfo{Name: object.Name(), Kind: kindOf(object), Level: f.level(object), File: filepath.Base(at.Filename), Start: at.Offset, Type: -1}
	if object.Pkg() != nil {
		one.Path = object.Pkg().Path()
	}
	if name, ok := object.(*types.PkgName); ok {
		one.Path = name.Imported().Path()
	} else if object.Type() != nil {
		one.Type = f.typ(object.Type())
	}
	f.Objects[index] = one
	return index
}

func kindOf(object types.Object) string {
	switch object := object.(type) {
	case *types.Var:
		if object.IsField() {
			return "field"
		}
		return "var"
	case *types.Const:
		return "const"
	case *types.TypeName:
		return "type"
	case *types.Func:
		return "func"
	case *types.PkgName:
		return "package"
	case *types.Builtin:
		return "builtin"
	case *types.Label:
		return "label"
	}
	return "nil"
}

func (f *checkedFile) level(object types.Object) string {
	switch {
	case object.Pkg() == nil:
		return "universe"
	case object.Pkg() != f.pkg:
		return "imported"
	case object.Parent() == f.pkg.Scope():
		return "package"
	}
	return "local"
}

func (f *checkedFile) typ(t types.Type) int {
	if index, ok := f.typeIndex[t]; ok {
		return index
	}
	index := len(f.Types)
	f.typeIndex[t] = index
	f.Types = append(f.Types, typeInfo{})
	one := typeInfo{Nameable: true, Elem: -1, Key: -1, Bytes: -1, Methods: []string{}}
	one.Text = types.TypeString(t, func(p *types.Package) string {
		if p == f.pkg {
			return ""
		}
		name, ok := f.names[p.Path()]
		if !ok {
			one.Nameable, name = false, p.Name()
		}
		return name
	})
	if unexported.MatchString(one.Text) {
		one.Nameable = false
	}
	if _, ok := t.(*types.TypeParam); ok {
		one.Kind = "parameter"
		f.Types[index] = one
		return index
	}
	switch types.Unalias(t).(type) {
	case *types.Named:
		one.Named = true
	}
	if basic, ok := t.(*types.Basic); !ok || basic.Info()&types.IsUntyped == 0 {
		one.Bytes = sizeOf(f.sizes, t)
	}
	one.Plain = isPlain(t, 0)
	methods := types.NewMethodSet(t)
	for i := 0; i < methods.Len(); i++ {
		one.Methods = append(one.Methods, methods.At(i).Obj().Name())
	}
	switch under := t.Underlying().(type) {
	case *types.Basic:
		one.Kind, one.Basic = "basic", under.Name()
	case *types.Slice:
		one.Kind, one.Elem = "slice", f.typ(under.Elem())
	case *types.Array:
		one.Kind, one.Elem = "array", f.typ(under.Elem())
	case *types.Pointer:
		one.Kind, one.Elem = "pointer", f.typ(under.Elem())
	case *types.Chan:
		one.Kind, one.Elem = "chan", f.typ(under.Elem())
	case *types.Map:
		one.Kind, one.Key, one.Elem = "map", f.typ(under.Key()), f.typ(under.Elem())
	case *types.Struct:
		one.Kind = "struct"
	case *types.Interface:
		one.Kind = "interface"
	case *types.Signature:
		one.Kind = "func"
	case *types.Tuple:
		one.Kind = "tuple"
	}
	f.Types[index] = one
	return index
}

// A type of another package that is not exported cannot be written here.
var unexported = regexp.MustCompile(`\b[A-Za-z_]\w*\.[^A-Z\s]`)

func sizeOf(sizes types.Sizes, t types.Type) (bytes int64) {
	defer func() {
		if recover() != nil { // of a type parameter nobody knows
			bytes = -1
		}
	}()
	if _, ok := t.(*types.Tuple); ok {
		return -1
	}
	return sizes.Sizeof(t)
}

// isPlain tells whether == on values is what reflect.DeepEqual does: no pointers, floats, interfaces or channels.
func isPlain(t types.Type, depth int) bool {
	if depth > 8 {
		return false
	}
	if _, ok := t.(*types.TypeParam); ok {
		return false
	}
	switch under := t.Underlying().(type) {
	case *types.Basic:
		return under.Info()&(types.IsInteger|types.IsString|types.IsBoolean) != 0
	case *types.Array:
		return isPlain(under.Elem(), depth+1)
	case *types.Struct:
		for i := 0; i < under.NumFields(); i++ {
			if under.Field(i).Name() == "_" || !isPlain(under.Field(i).Type(), depth+1) {
				return false
			}
		}
		return true
	}
	return false
}
