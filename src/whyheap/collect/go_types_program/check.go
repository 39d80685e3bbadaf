package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

// request names packages with the archives that they import.
type request struct {
	Arch     string            `json:"arch"`
	Exports  map[string]string `json:"exports"`
	Packages []wantedPackage   `json:"packages"`
}

type wantedPackage struct {
	Path     string           `json:"path"`
	Dir      string           `json:"dir"`
	Language string           `json:"language"`
	Files    []string         `json:"files"`
	Lines    map[string][]int `json:"lines"`
}

// A checkedPackage holds its scope's names and what is known of each wanted file.
type checkedPackage struct {
	Path  string                  `json:"path"`
	Error string                  `json:"error"`
	Scope []string                `json:"scope"`
	Files map[string]*checkedFile `json:"files"`
}

// A checkedFile refers to types and objects by their index. Offsets are bytes.
type checkedFile struct {
	Imports     []imported       `json:"imports"`
	Types       []typeInfo       `json:"types"`
	Objects     []objectInfo     `json:"objects"`
	Expressions []expression     `json:"expressions"`
	Identifiers []identifier     `json:"identifiers"`
	Language    string           `json:"language"`
	Uses        map[string][]int `json:"uses"`

	typeIndex   map[types.Type]int
	objectIndex map[types.Object]int
	names       map[string]string
	pkg         *types.Package
	sizes       types.Sizes
	fset        *token.FileSet
}

type imported struct {
	Name  string `json:"name"`
	Path  string `json:"path"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

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

type expression struct {
	Start    int     `json:"start"`
	End      int     `json:"end"`
	Type     int     `json:"type"`
	Constant *string `json:"constant"`
	IsType   bool    `json:"is_type"`
}

type identifier struct {
	Start   int  `json:"start"`
	End     int  `json:"end"`
	Object  int  `json:"object"`
	Defines bool `json:"defines"`
}

func check(wanted request) []*checkedPackage {
	fset := token.NewFileSet()
	archives := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		for _, name := range []string{path, "vendor/" + path} {
			if file := wanted.Exports[name]; file != "" {
				return os.Open(file)
			}
		}
		return nil, fmt.Errorf("no archive of %s", path)
	})
	answer := make([]*checkedPackage, 0, len(wanted.Packages))
	for _, one := range wanted.Packages {
		answer = append(answer, checkPackage(fset, archives, wanted.Arch, one))
	}
	return answer
}

func checkPackage(fset *token.FileSet, archives types.Importer, arch string, wanted wantedPackage) *checkedPackage {
	answer := &checkedPackage{Path: wanted.Path, Scope: []string{}, Files: map[string]*checkedFile{}}
	files := make([]*ast.File, 0, len(wanted.Files))
	for _, name := range wanted.Files {
		file, err := parser.ParseFile(fset, filepath.Join(wanted.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			answer.Error = err.Error()
			return answer
		}
		files = append(files, file)
	}
	info := &types.Info{
		Types:     map[ast.Expr]types.TypeAndValue{},
		Defs:      map[*ast.Ident]types.Object{},
		Uses:      map[*ast.Ident]types.Object{},
		Implicits: map[ast.Node]types.Object{},
	}
	sizes := types.SizesFor("gc", arch)
	config := types.Config{Importer: archives, GoVersion: wanted.Language, Sizes: sizes, Error: func(err error) {
		if answer.Error == "" {
			answer.Error = err.Error()
		}
	}}
	pkg, _ := config.Check(wanted.Path, fset, files, info)
	if answer.Error != "" {
		return answer
	}
	answer.Scope = pkg.Scope().Names()
	for number, file := range files {
		name := wanted.Files[number]
		if lines := wanted.Lines[name]; len(lines) > 0 {
			answer.Files[name] = checkFile(fset, pkg, sizes, info, file, lines, wanted.Language)
		}
	}
	return answer
}

func checkFile(fset *token.FileSet, pkg *types.Package, sizes types.Sizes, info *types.Info, file *ast.File, lines []int, language string) *checkedFile {
	answer := &checkedFile{
		Imports: []imported{}, Types: []typeInfo{}, Objects: []objectInfo{}, Expressions: []expression{},
		Identifiers: []identifier{}, Uses: map[string][]int{}, Language: language,
		typeIndex: map[types.Type]int{}, objectIndex: map[types.Object]int{}, names: map[string]string{},
		pkg: pkg, sizes: sizes, fset: fset,
	}
	if file.GoVersion != "" {
		answer.Language = file.GoVersion
	}
	for _, spec := range file.Imports {
		answer.addImport(info, spec)
	}
	for _, declaration := range file.Decls {
		wanted := holds(fset, declaration, lines)
		ast.Inspect(declaration, func(node ast.Node) bool {
			if name, ok := node.(*ast.Ident); ok {
				if used, ok := info.Uses[name].(*types.PkgName); ok {
					answer.Uses[used.Name()] = append(answer.Uses[used.Name()], answer.offset(name.Pos()))
				}
			}
			if wanted {
				answer.add(info, node)
			}
			return true
		})
	}
	return answer
}

func (f *checkedFile) addImport(info *types.Info, spec *ast.ImportSpec) {
	var name string
	object := info.Implicits[spec]
	if spec.Name != nil {
		name = spec.Name.Name
	} else if object != nil {
		name = object.Name()
	}
	path := strings.Trim(spec.Path.Value, "\"`")
	f.Imports = append(f.Imports, imported{name, path, f.offset(spec.Pos()), f.offset(spec.End())})
	if name != "_" && name != "." {
		f.names[path] = name
	}
}

func holds(fset *token.FileSet, node ast.Node, lines []int) bool {
	// Positions without //line directives: lines are those of the file.
	first, last := fset.PositionFor(node.Pos(), false).Line, fset.PositionFor(node.End(), false).Line
	at := sort.SearchInts(lines, first)
	return at < len(lines) && lines[at] <= last
}

func (f *checkedFile) offset(at token.Pos) int { return f.fset.PositionFor(at, false).Offset }

func (f *checkedFile) add(info *types.Info, node ast.Node) {
	if name, ok := node.(*ast.Ident); ok {
		object, defines := info.Defs[name], true
		if object == nil {
			object, defines = info.Uses[name], false
		}
		if object != nil {
			f.Identifiers = append(f.Identifiers, identifier{f.offset(name.Pos()), f.offset(name.End()), f.object(object), defines})
		}
	}
	expr, ok := node.(ast.Expr)
	if !ok {
		return
	}
	told, known := info.Types[expr]
	if !known {
		if name, ok := expr.(*ast.Ident); ok {
			if object := info.ObjectOf(name); object != nil && object.Type() != nil {
				told, known = types.TypeAndValue{Type: object.Type()}, true
			}
		}
	}
	if !known || told.Type == nil {
		return
	}
	var value *string
	if told.Value != nil {
		text := told.Value.ExactString()
		if told.Value.Kind() == constant.String {
			text = constant.StringVal(told.Value)
		}
		value = &text
	}
	f.Expressions = append(f.Expressions, expression{f.offset(expr.Pos()), f.offset(expr.End()), f.typ(told.Type), value, told.IsType()})
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
