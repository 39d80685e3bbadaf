"""A small runtime for tests: the structs that a census follows, laid out by hand, and a program that has no code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from host.sparse_process import SparseProcess
from whyheap.collect.runtime_image import RuntimeImage
from whyheap.parse.struct_layout import Field, StructLayout, TypeLayout, Variable

RATE, CYCLE, BUCKETS, ALLGS = 0x1000, 0x1010, 0x1020, 0x1040

_WORD = Field(0, 8, "uintptr")


def _words(*names: str) -> TypeLayout:
    return TypeLayout(8 * len(names), {name: Field(8 * at, 8, "uintptr") for at, name in enumerate(names)})


GOROUTINE = ("goid", "gopc", "startpc", "syscallpc", "syscallsp", "atomicstatus", "waitreason", "trackingSeq")


def layout(*, has_bytes: bool = False) -> StructLayout:
    """`has_bytes`: counts of bytes beside those of objects, as until Go 1.26."""
    cycle = _words("allocs", "frees", *(("alloc_bytes", "free_bytes") if has_bytes else ()))
    record = {"active": Field(0, cycle.size, "cycle"), "future": Field(cycle.size, 3 * cycle.size, "[3]cycle")}
    goroutine = {"stack": Field(0, 16, "stack"), "sched": Field(16, 16, "gobuf")}
    goroutine |= {name: Field(32 + 8 * at, 8, "uintptr") for at, name in enumerate(GOROUTINE)}
    return StructLayout(
        types={
            "runtime.bucket": _words("next", "allnext", "typ", "hash", "size", "nstk"),
            "cycle": cycle,
            "runtime.memRecordCycle": cycle,
            "[3]cycle": TypeLayout(3 * cycle.size, element="cycle", count=3),
            "runtime.memRecord": TypeLayout(4 * cycle.size, record),
            "runtime.g": TypeLayout(
                104, {"stack": Field(0, 16, "stack"), "sched": Field(16, 16, "gobuf"), **goroutine}
            ),
            "stack": _words("lo", "hi"),
            "gobuf": _words("sp", "pc"),
            "slice": _words("array", "len", "cap"),
        },
        variables={
            "runtime.MemProfileRate": Variable(RATE, 8),
            "runtime.mProfCycle": Variable(CYCLE, 4),
            "runtime.mbuckets": Variable(BUCKETS, 8),
            "runtime.allgs": Variable(ALLGS, 24, "slice"),
        },
        wait_reasons=("", "GC assist marking", "chan receive (nil chan)", "semacquire"),
    )


class NoFunctions:
    """Names of functions by their first address."""

    def __init__(self, names: dict[int, str] | None = None) -> None:
        self.names = names or {}

    def symbol(self, pc: int) -> str:
        return self.names.get(pc, "")


class NoProgram:
    """An executable of amd64 without anything in it."""

    class image:  # noqa: N801 - stands for an attribute
        arch = "amd64"


def image(folder: Path, *, has_bytes: bool = False) -> tuple[SparseProcess, RuntimeImage]:
    """Return a process and what reads it."""
    process = SparseProcess(folder)
    found = RuntimeImage(process.memory(), cast("Any", NoProgram), layout(has_bytes=has_bytes), 0, "go1.27.3")
    found.__dict__["functions"] = NoFunctions()
    return process, found
