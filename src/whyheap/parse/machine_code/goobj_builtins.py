"""Names of the runtime's symbols that object files refer to by number alone (package index PkgIdxBuiltin).

The numbers are positions in cmd/internal/goobj/builtinlist.go, which every release may change: the list of the
toolchain at hand (`parse_builtins`) goes before the one that is kept here of 1.22.10, 1.23.9, 1.24.11, 1.25.5, 1.26.6
and 1.27.3.
"""

from __future__ import annotations

import re
from functools import cache

BUILTIN_LIST = "src/cmd/internal/goobj/builtinlist.go"
"""Where a toolchain keeps the list, below GOROOT."""

_ROW = re.compile(r'^\s*\{"([^"]+)", \d\},$', re.MULTILINE)
_VERSION = re.compile(r"go(\d+)\.(\d+)")

# In the list's order: first and last release, then names; "runtime." is left out, "~" stands for a space.
_NAMES = """\
1.22-1.27: newobject mallocgc panicdivide panicshift panicmakeslicelen panicmakeslicecap throwinit panicwrap gopanic
    gorecover goschedguarded goPanicIndex goPanicIndexU goPanicSliceAlen goPanicSliceAlenU goPanicSliceAcap
    goPanicSliceAcapU goPanicSliceB goPanicSliceBU goPanicSlice3Alen goPanicSlice3AlenU goPanicSlice3Acap
    goPanicSlice3AcapU goPanicSlice3B goPanicSlice3BU goPanicSlice3C goPanicSlice3CU goPanicSliceConvert printbool
1.22-1.25: printfloat
1.26-1.27: printfloat64 printfloat32
1.22-1.27: printint printhex printuint
1.22-1.25: printcomplex
1.26-1.27: printcomplex128 printcomplex64
1.22-1.27: printstring
1.26-1.27: printquoted
1.22-1.27: printpointer printuintptr printiface printeface printslice printnl printsp printlock printunlock
    concatstring2 concatstring3 concatstring4 concatstring5 concatstrings
1.24-1.27: concatbyte2 concatbyte3 concatbyte4 concatbyte5 concatbytes
1.22-1.27: cmpstring intstring slicebytetostring slicebytetostringtmp slicerunetostring stringtoslicebyte
    stringtoslicerune slicecopy decoderune countrunes convT convTnoptr convT16 convT32 convT64 convTstring
    convTslice assertE2I assertE2I2 panicdottypeE panicdottypeI panicnildottype typeAssert interfaceSwitch ifaceeq
    efaceeq
1.22-1.22: panicrangeexit
1.23-1.27: panicrangestate
1.22-1.27: deferrangefunc
1.24-1.27: rand
1.22-1.27: rand32 makemap64 makemap makemap_small mapaccess1 mapaccess1_fast32 mapaccess1_fast64 mapaccess1_faststr
    mapaccess1_fat mapaccess2 mapaccess2_fast32 mapaccess2_fast64 mapaccess2_faststr mapaccess2_fat mapassign
    mapassign_fast32 mapassign_fast32ptr mapassign_fast64 mapassign_fast64ptr mapassign_faststr
1.22-1.25: mapiterinit
1.24-1.27: mapIterStart
1.22-1.27: mapdelete mapdelete_fast32 mapdelete_fast64 mapdelete_faststr
1.22-1.25: mapiternext
1.24-1.27: mapIterNext
1.22-1.27: mapclear makechan64 makechan chanrecv1 chanrecv2 chansend1 closechan
1.23-1.27: chanlen chancap
1.22-1.27: writeBarrier typedmemmove typedmemclr typedslicecopy selectnbsend selectnbrecv selectsetpc selectgo block
    makeslice makeslice64 makeslicecopy growslice
1.27-1.27: growsliceBuf growsliceBufNoAlias growsliceNoAlias
1.22-1.27: unsafeslicecheckptr panicunsafeslicelen panicunsafeslicenilptr unsafestringcheckptr panicunsafestringlen
    panicunsafestringnilptr
1.27-1.27: moveSlice moveSliceNoScan moveSliceNoCap moveSliceNoCapNoScan
1.22-1.27: memmove memclrNoHeapPointers memclrHasPointers memequal memequal0 memequal8 memequal16 memequal32
    memequal64 memequal128 f32equal f64equal c64equal c128equal strequal interequal nilinterequal memhash memhash0
    memhash8 memhash16 memhash32 memhash64 memhash128 f32hash f64hash c64hash c128hash strhash interhash
    nilinterhash int64div uint64div int64mod uint64mod float64toint64 float64touint64 float64touint32 int64tofloat64
    int64tofloat32 uint64tofloat64 uint64tofloat32 uint32tofloat64 complex128div
1.22-1.23: getcallerpc getcallersp
1.22-1.27: racefuncenter racefuncexit raceread racewrite racereadrange racewriterange msanread msanwrite msanmove
    asanread asanwrite checkptrAlignment checkptrArithmetic libfuzzerTraceCmp1 libfuzzerTraceCmp2 libfuzzerTraceCmp4
    libfuzzerTraceCmp8 libfuzzerTraceConstCmp1 libfuzzerTraceConstCmp2 libfuzzerTraceConstCmp4
    libfuzzerTraceConstCmp8 libfuzzerHookStrCmp libfuzzerHookEqualFold addCovMeta
1.27-1.27: x86HasAVX x86HasFMA
1.22-1.27: x86HasPOPCNT x86HasSSE41
1.22-1.26: x86HasFMA
1.22-1.27: armHasVFPv4 arm64HasATOMICS
1.24-1.27: loong64HasLAMCAS loong64HasLAM_BH
1.27-1.27: loong64HasDBAR_HINTS
1.24-1.27: loong64HasLSX
1.25-1.27: riscv64HasZbb
1.22-1.27: asanregisterglobals
1.27-1.27: KeepAlive
1.22-1.27: deferproc deferprocStack deferreturn newproc panicoverflow sigpanic
1.22-1.26: gcWriteBarrier
1.27-1.27: gcWriteBarrier1 gcWriteBarrier2 gcWriteBarrier3 gcWriteBarrier4 gcWriteBarrier5 gcWriteBarrier6
    gcWriteBarrier7 gcWriteBarrier8
1.22-1.27: duffzero duffcopy morestack morestackc morestack_noctxt
1.27-1.27: retpolineAX retpolineCX retpolineDX retpolineBX retpolineBP retpolineSI retpolineDI retpolineR8
    retpolineR9 retpolineR10 retpolineR11 retpolineR12 retpolineR13 retpolineR14 retpolineR15 tls_g
1.22-1.27: type:int8 type:*int8 type:uint8 type:*uint8 type:int16 type:*int16 type:uint16 type:*uint16 type:int32
    type:*int32 type:uint32 type:*uint32 type:int64 type:*int64 type:uint64 type:*uint64 type:float32 type:*float32
    type:float64 type:*float64 type:complex64 type:*complex64 type:complex128 type:*complex128 type:unsafe.Pointer
    type:*unsafe.Pointer type:uintptr type:*uintptr type:bool type:*bool type:string type:*string type:error
    type:*error type:func(error)~string type:*func(error)~string
"""


def parse_builtins(source: str) -> tuple[str, ...]:
    """Read builtinlist.go; empty when it is not such a file."""
    return tuple(_ROW.findall(source))


@cache
def builtins_of(version: str) -> tuple[str, ...]:
    """Return the names for a release ("go1.27.3"), empty for one that is not known."""
    found = _VERSION.match(version)
    if found is None:
        return ()
    minor = (int(found[1]), int(found[2]))
    return tuple(name for first, last, name in _rows() if first <= minor <= last)


@cache
def _rows() -> tuple[tuple[tuple[int, int], tuple[int, int], str], ...]:
    rows = []
    first = last = (0, 0)
    for word in _NAMES.split():
        if word.endswith(":"):
            first, last = (_minor(part) for part in word[:-1].split("-"))
        else:
            name = word.replace("~", " ")
            rows.append((first, last, name if ":" in name else f"runtime.{name}"))
    return tuple(rows)


def _minor(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor)
