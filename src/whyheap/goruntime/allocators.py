"""Which functions of Go's runtime make heap objects, and when a call to one makes none.

What compiled code may call is listed by cmd/compile/internal/typecheck/_builtin/runtime.go and internal/ir/symtab.go
(1.22 to 1.27); the doors that the runtime opens for the standard library are its `//go:linkname` lines (malloc.go,
slice.go, map.go, chan.go). collect/allocator_names.py checks this table against a toolchain's own sources.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class AllocatorKind(StrEnum):
    """What a call to the allocator makes."""

    OBJECT = "object"
    SLICE = "slice"
    GROWTH = "growth"  # a longer array for append
    SLICE_MOVE = "slice-move"  # a slice built on the stack moves to the heap when it escapes
    BOXING = "boxing"  # the value behind an interface
    MAP = "map"
    MAP_GROWTH = "map-growth"
    CHANNEL = "channel"
    CONCATENATION = "concatenation"
    CONVERSION = "conversion"  # between string, []byte, []rune and rune
    GOROUTINE = "goroutine"
    DEFER = "defer"


@dataclass(frozen=True, slots=True)
class Allocator:
    """One family. `may` tells when an ordinary call makes no object, empty = it always makes one.

    `odd` tells when an unusual argument makes none although the family always allocates otherwise. `buffer` is the
    position, among the integer arguments, of a stack buffer that saves the allocation; when that argument is nil, the
    call allocates for ordinary arguments. `source` is the Go file, `since` the first
    version of 1.22 to 1.27 that has it.
    """

    names: re.Pattern[str]
    kind: AllocatorKind
    source: str
    may: str = ""
    odd: str = ""
    buffer: int | None = None
    since: str = "1.22"


def _row(
    names: str,
    kind: AllocatorKind,
    source: str,
    *,
    may: str = "",
    odd: str = "",
    buffer: int | None = None,
    since: str = "1.22",
) -> Allocator:
    return Allocator(re.compile(names), kind, source, may, odd, buffer, since)


_K = AllocatorKind
_SIZE_0 = "size 0 gets the address of runtime.zerobase"
_LENGTH_0 = "length 0 gets the address of runtime.zerobase"
_BUFFER = "a result of at most 32 bytes stays in the caller's stack buffer, where there is one"
_SMALL_VALUE = "values below 256 are ready in runtime.staticuint64s"
_FULL_ONLY = "only where the map has no room for the key"
_REUSED_DEFER = "takes a record from the P's pool of defers first (newdefer)"

ALLOCATORS: tuple[Allocator, ...] = (
    _row(r"runtime\.newobject", _K.OBJECT, "runtime/malloc.go newobject", odd=_SIZE_0),
    # mallocgcTiny, ...SmallNoscan, ...Large are its parts since 1.24; ...SC<n> are called by compiled code since 1.27
    _row(
        r"runtime\.mallocgc[A-Za-z0-9]*",
        _K.OBJECT,
        "runtime/malloc.go, malloc_generated.go",
        odd=_SIZE_0,
    ),
    _row(
        r"(?:reflect|internal/reflectlite)\.unsafe_New|internal/runtime/maps\.newobject",
        _K.OBJECT,
        "runtime/malloc.go reflect_unsafe_New, maps_newobject",
        odd=_SIZE_0,
    ),
    _row(
        r"runtime\.newarray|reflect\.unsafe_NewArray|internal/runtime/maps\.newarray",
        _K.SLICE,
        "runtime/malloc.go newarray",
        odd=_LENGTH_0,
    ),
    _row(r"runtime\.makeslice(?:64|copy)?", _K.SLICE, "runtime/slice.go makeslice", odd=_LENGTH_0),
    _row(r"internal/bytealg\.MakeNoZero", _K.SLICE, "runtime/slice.go MakeNoZero", odd=_LENGTH_0),
    _row(
        r"runtime\.growslice(?:NoAlias)?",
        _K.GROWTH,
        "runtime/slice.go growslice; growsliceNoAlias since 1.26",
        odd="elements of size 0 need no storage",
    ),
    _row(
        r"reflect\.growslice",
        _K.GROWTH,
        "runtime/slice.go reflect_growslice",
        odd="elements of size 0 need no storage",
    ),
    _row(
        r"runtime\.growsliceBuf(?:NoAlias)?",
        _K.GROWTH,
        "runtime/slice.go growsliceBuf",
        may="elements that fit the caller's stack buffer stay there",
        since="1.26",
    ),
    _row(
        r"runtime\.moveSlice(?:NoCap)?(?:NoScan)?",
        _K.SLICE_MOVE,
        "runtime/slice.go moveSlice",
        odd="an empty slice needs no storage",
        since="1.26",
    ),
    _row(r"runtime\.convT(?:noptr)?", _K.BOXING, "runtime/iface.go convT", odd=_SIZE_0),
    _row(r"runtime\.convT(?:16|32|64)", _K.BOXING, "runtime/iface.go convT64", may=_SMALL_VALUE),
    _row(
        r"runtime\.convTstring",
        _K.BOXING,
        "runtime/iface.go convTstring",
        odd="the empty string is runtime.zeroVal",
    ),
    _row(
        r"runtime\.convTslice",
        _K.BOXING,
        "runtime/iface.go convTslice",
        odd="a nil slice is runtime.zeroVal",
    ),
    _row(r"runtime\.makemap_small", _K.MAP, "runtime/map.go makemap_small"),
    _row(
        r"runtime\.makemap(?:64)?",
        _K.MAP,
        "runtime/map.go makemap; internal/runtime/maps NewMap since 1.24",
        may="the header may be on the caller's stack, and up to 8 entries are allocated by the first assignment",
        buffer=2,
    ),
    _row(r"reflect\.makemap", _K.MAP, "runtime/map.go reflect_makemap"),
    _row(r"runtime\.mapclone2?|maps\.clone", _K.MAP, "runtime/map.go mapclone"),
    _row(
        r"runtime\.mapassign(?:_fast(?:32|64)(?:ptr)?|_faststr)?|reflect\.mapassign(?:_faststr)?0?",
        _K.MAP_GROWTH,
        "runtime/map.go mapassign; internal/runtime/maps/runtime.go since 1.24",
        may=_FULL_ONLY,
    ),
    _row(r"runtime\.makechan(?:64)?|reflect\.makechan", _K.CHANNEL, "runtime/chan.go makechan"),
    _row(
        r"runtime\.concatstring[2-5s]",
        _K.CONCATENATION,
        "runtime/string.go concatstrings",
        may=_BUFFER + "; one non-empty operand is returned as it is",
        buffer=0,
    ),
    _row(
        r"runtime\.concatbyte[2-5s]",
        _K.CONCATENATION,
        "runtime/string.go concatbytes",
        may=_BUFFER,
        buffer=0,
        since="1.24",
    ),
    _row(
        r"runtime\.slicebytetostring",
        _K.CONVERSION,
        "runtime/string.go slicebytetostring",
        may=_BUFFER + "; lengths 0 and 1 are ready",
        buffer=0,
    ),
    _row(
        r"runtime\.stringtoslice(?:byte|rune)",
        _K.CONVERSION,
        "runtime/string.go stringtoslicebyte",
        may=_BUFFER + " (32 runes for []rune)",
        buffer=0,
    ),
    _row(r"runtime\.slicerunetostring", _K.CONVERSION, "runtime/string.go", may=_BUFFER, buffer=0),
    _row(
        r"runtime\.intstring",
        _K.CONVERSION,
        "runtime/string.go intstring",
        may="the result stays in the caller's stack buffer of 4 bytes, where there is one",
        buffer=0,
    ),
    _row(
        r"runtime\.newproc",
        _K.GOROUTINE,
        "runtime/proc.go newproc1",
        may="the structure and stack of a finished goroutine are used again (gfget)",
    ),
    _row(r"runtime\.deferproc(?:at)?", _K.DEFER, "runtime/panic.go newdefer", may=_REUSED_DEFER),
    _row(
        r"runtime\.deferrangefunc",
        _K.DEFER,
        "runtime/panic.go deferrangefunc makes the list's head",
    ),
)

_NEVER_RETURNS = re.compile(
    r"runtime\.(?:gopanic|panic[A-Za-z0-9]+|goPanic[A-Za-z0-9]+|throw|throwinit|fatal|fatalthrow|fatalpanic|Goexit|goexit[01]?"
    r"|abort|exit|crash|sigpanic0?|badmorestackg0|badmorestackgsignal|badsystemstack|morestackc|badctxt|block"
    r"|badunlockosthread|badreflectcall|unreachableMethod|dieFromSignal|typeAssertPanic)"
    r"|sync\.(?:throw|fatal)|internal/sync\.(?:throw|fatal)|internal/runtime/maps\.fatal|maps\.fatal|rand\.fatal"
    r"|internal/runtime/sys\.throw|os\.Exit|os\.runtime_goexit|log\.Fatal(?:f|ln)?|log\.Panic(?:f|ln)?"
    r"|testing\.\(\*common\)\.(?:FailNow|Fatalf?|SkipNow|Skipf?)"
)
# runtime/panic.go panicCheck1 and panicCheck2 return where the panic is allowed; rtype.go's panicValue is a test's.
_RETURNS = frozenset({"runtime.panicCheck1", "runtime.panicCheck2", "runtime.panicValue", "runtime.panicnil"})


def _plain(symbol: str) -> str:
    """Cut what the linker adds to tell apart the calling conventions of one function (cmd/link's ld/symtab.go)."""
    return symbol.removesuffix(".abi0").removesuffix(".abiinternal")


@lru_cache(maxsize=4096)
def allocator(symbol: str) -> Allocator | None:
    """Return the family of a linker symbol ("runtime.newobject"), None when it makes no heap objects."""
    name = _plain(symbol)
    return next((row for row in ALLOCATORS if row.names.fullmatch(name)), None)


_ROOMS = ("runtime.", "reflect.", "maps.", "internal/")


def is_allocator(symbol: str) -> bool:
    """Tell whether a call to this linker symbol asks Go's allocator for an object."""
    return symbol.startswith(_ROOMS) and allocator(symbol) is not None


# Position of the type descriptor among the integer arguments where it is not the first; None = it takes none.
_TYPE_ARGUMENTS: tuple[tuple[re.Pattern[str], int | None], ...] = (
    (re.compile(r"runtime\.mallocgc.*"), 1),  # (size, typ, needzero)
    (re.compile(r"runtime\.growslice.*"), 4),  # (oldPtr, newLen, oldCap, num, et, ...)
    (
        re.compile(
            r"runtime\.(?:moveSlice(?:NoCap)?NoScan|convT(?:16|32|64|string|slice)|makemap_small|concat.*|slice\w+"
            r"|stringtoslice.*|intstring|newproc|defer.*)|internal/bytealg\.MakeNoZero"
        ),
        None,
    ),
)


@lru_cache(maxsize=4096)
def type_argument(symbol: str) -> int | None:
    """Return which integer argument (0 = the first) of an allocator is the type descriptor, None when it takes none."""
    if not is_allocator(symbol):
        return None
    name = _plain(symbol)
    return next((position for names, position in _TYPE_ARGUMENTS if names.fullmatch(name)), 0)


def kind_of(symbol: str) -> AllocatorKind | None:
    """Return what the function makes, None for one that is no allocator."""
    found = allocator(symbol)
    return found.kind if found else None


def always_allocates(symbol: str, *, without_buffer: bool = False) -> bool:
    """Tell whether each call with ordinary arguments (sizes and lengths above 0) makes an object.

    `without_buffer` says that the caller passes nil for the stack buffer (see `Allocator.buffer`).
    """
    found = allocator(symbol)
    return found is not None and (not found.may or (without_buffer and found.buffer is not None))


def may_reason(symbol: str) -> str:
    """Return in one line when a call makes no object; empty when it always makes one or the symbol is no allocator."""
    found = allocator(symbol)
    return (found.may or found.odd) if found else ""


def never_returns(symbol: str) -> bool:
    """Tell whether a call to this linker symbol ends in a panic or an exit, so that the code behind it never runs.

    runtime/panic.go, error.go, slice.go, unsafe.go, asm_*.s (1.22 to 1.27), os/proc.go, log/log.go, testing/testing.go.
    """
    name = _plain(symbol)
    return name not in _RETURNS and _NEVER_RETURNS.fullmatch(name) is not None
