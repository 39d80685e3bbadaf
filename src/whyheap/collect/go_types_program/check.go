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
