"""Which functions of Go's runtime make heap objects."""

from __future__ import annotations

import pytest

from whyheap.goruntime.allocators import (
    ALLOCATORS,
    AllocatorKind,
    always_allocates,
    is_allocator,
    kind_of,
    may_reason,
    never_returns,
    type_argument,
)

# name after "runtime.": kind, always allocates for ordinary arguments, position of the type
KNOWN = {
    "newobject": (AllocatorKind.OBJECT, True, 0),
    "mallocgc": (AllocatorKind.OBJECT, True, 1),
    "mallocgcSmallScanNoHeaderSC5": (AllocatorKind.OBJECT, True, 1),
    "mallocgcTinySC2": (AllocatorKind.OBJECT, True, 1),
    "makeslice": (AllocatorKind.SLICE, True, 0),
    "makeslice64": (AllocatorKind.SLICE, True, 0),
    "makeslicecopy": (AllocatorKind.SLICE, True, 0),
    "growslice": (AllocatorKind.GROWTH, True, 4),
    "growsliceNoAlias": (AllocatorKind.GROWTH, True, 4),
    "growsliceBuf": (AllocatorKind.GROWTH, False, 4),
    "growsliceBufNoAlias": (AllocatorKind.GROWTH, False, 4),
    "moveSlice": (AllocatorKind.SLICE_MOVE, True, 0),
    "moveSliceNoCapNoScan": (AllocatorKind.SLICE_MOVE, True, None),
    "convT": (AllocatorKind.BOXING, True, 0),
    "convTnoptr": (AllocatorKind.BOXING, True, 0),
    "convT64": (AllocatorKind.BOXING, False, None),
    "convTstring": (AllocatorKind.BOXING, True, None),
    "makemap": (AllocatorKind.MAP, False, 0),
    "makemap_small": (AllocatorKind.MAP, True, None),
    "mapassign_faststr": (AllocatorKind.MAP_GROWTH, False, 0),
    "mapassign_fast64ptr": (AllocatorKind.MAP_GROWTH, False, 0),
    "makechan": (AllocatorKind.CHANNEL, True, 0),
    "concatstring2": (AllocatorKind.CONCATENATION, False, None),
    "concatstrings": (AllocatorKind.CONCATENATION, False, None),
    "concatbyte3": (AllocatorKind.CONCATENATION, False, None),
    "slicebytetostring": (AllocatorKind.CONVERSION, False, None),
    "stringtoslicebyte": (AllocatorKind.CONVERSION, False, None),
    "stringtoslicerune": (AllocatorKind.CONVERSION, False, None),
    "slicerunetostring": (AllocatorKind.CONVERSION, False, None),
    "intstring": (AllocatorKind.CONVERSION, False, None),
    "newproc": (AllocatorKind.GOROUTINE, False, None),
    "deferproc": (AllocatorKind.DEFER, False, None),
    "deferprocat": (AllocatorKind.DEFER, False, None),
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_families_are_known(name: str) -> None:
    symbol = f"runtime.{name}"
    kind, always, position = KNOWN[name]
    assert is_allocator(symbol)
    assert kind_of(symbol) is kind
    assert always_allocates(symbol) is always
    assert type_argument(symbol) == position
    if not always:
        assert may_reason(symbol)


@pytest.mark.parametrize(
    "symbol",
    [
        "runtime.deferprocStack",
        "runtime.slicebytetostringtmp",
        "runtime.panicmakeslicelen",
        "runtime.mapaccess1_faststr",
        "runtime.morestack_noctxt",
        "runtime.newproc1",
        "main.newobject",
        "example.com/runtime.newobject",
        "runtime.newobject.func1",
        "",
    ],
)
def test_others_are_none(symbol: str) -> None:
    assert not is_allocator(symbol)
    assert kind_of(symbol) is None
    assert type_argument(symbol) is None
    assert not always_allocates(symbol)
    assert not may_reason(symbol)


@pytest.mark.parametrize(
    "symbol",
    [
        "reflect.unsafe_New",
        "reflect.unsafe_NewArray",
        "internal/reflectlite.unsafe_New",
        "internal/runtime/maps.newarray",
        "internal/bytealg.MakeNoZero",
        "maps.clone",
        "reflect.mapassign_faststr0",
    ],
)
def test_doors_for_the_standard_library_are_allocators(symbol: str) -> None:
    assert is_allocator(symbol)


def test_a_wrapper_for_assembly_counts_as_the_function() -> None:
    assert is_allocator("runtime.newproc.abi0")
    assert never_returns("runtime.panicIndex.abi0")


def test_without_a_stack_buffer_strings_are_always_allocated() -> None:
    assert always_allocates("runtime.concatstring2", without_buffer=True)
    assert always_allocates("runtime.slicebytetostring", without_buffer=True)
    assert not always_allocates("runtime.convT64", without_buffer=True)


def test_each_family_cites_a_go_file() -> None:
    assert all(".go" in row.source for row in ALLOCATORS)


@pytest.mark.parametrize(
    "name",
    ["gopanic", "panicIndex", "panicBounds", "goPanicSliceB", "panicdivide", "panicwrap", "throw", "fatal", "Goexit"],
)
def test_panics_never_return(name: str) -> None:
    assert never_returns(f"runtime.{name}")


@pytest.mark.parametrize(
    "symbol",
    ["runtime.newobject", "runtime.panicCheck1", "runtime.gorecover", "main.throw", "runtime.morestack", "os.Open"],
)
def test_others_return(symbol: str) -> None:
    assert not never_returns(symbol)
