"""Which packages are Go's own: the folders of GOROOT/src in Go 1.22 to 1.27 (`ls go/src`)."""

from __future__ import annotations

STANDARD_ROOTS = frozenset(
    {
        "archive",
        "arena",
        "bufio",
        "builtin",
        "bytes",
        "cmd",
        "cmp",
        "compress",
        "container",
        "context",
        "crypto",
        "database",
        "debug",
        "embed",
        "encoding",
        "errors",
        "expvar",
        "flag",
        "fmt",
        "go",
        "hash",
        "html",
        "image",
        "index",
        "internal",
        "io",
        "iter",
        "log",
        "maps",
        "math",
        "mime",
        "net",
        "os",
        "path",
        "plugin",
        "reflect",
        "regexp",
        "runtime",
        "simd",
        "slices",
        "sort",
        "strconv",
        "strings",
        "structs",
        "sync",
        "syscall",
        "testing",
        "text",
        "time",
        "unicode",
        "unique",
        "unsafe",
        "uuid",
        "vendor",
        "weak",
    }
)


def is_standard(package: str) -> bool:
    """Whether an import path is of the standard library. Module paths have a dot in their first element as a rule."""
    return package.partition("/")[0] in STANDARD_ROOTS
