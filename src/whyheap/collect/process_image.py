"""Opening a running Go program: its executable, its layout and its memory, checked to be what it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from whyheap.collect.runtime_image import RuntimeImage
from whyheap.collect.runtime_layout_store import find_layout
from whyheap.errors import FormatError, TargetError
from whyheap.goruntime.allocators import type_argument
from whyheap.goruntime.runtime_layout import NEEDED, PAGE_BYTES
from whyheap.host.process_memory import ProcessMemory, UnreadableAddressError
from whyheap.host.procfs import PROC
from whyheap.host.running_program import open_running_program
from whyheap.parse.machine_code.build_marks import go_version
from whyheap.parse.machine_code.build_settings import split_version
from whyheap.parse.machine_code.program import Program
from whyheap.parse.source_path import spell_foreign
from whyheap.parse.struct_layout import LayoutError

_CODE_BYTES = 64
_MOST_PROCESSORS = 1 << 20
_MOST_ENTRIES = 1 << 32
_MOST_HEAP_BYTES = 1 << 47
_NOT_GO = "Name the Go process itself, not its shell or wrapper:  pgrep -a NAME"


def open_image(pid: int, proc: Path = PROC, announce: Callable[[str], None] | None = None) -> RuntimeImage:
    """Open a running Go program; `announce` is told before anything takes long or is fetched.

    Raises `TargetError` when it cannot be read: no such process, not Go, not permitted, another architecture.
    """
    running = open_running_program(pid, proc)
    try:
        program = Program(memoryview(running.data), spell_foreign, type_argument)
    except FormatError as error:
        reason = error.message.replace("This executable", "its executable")
        raise TargetError(f"pid {pid} ({running.path}) cannot be read as a Go program: {reason}", _NOT_GO) from error
    memory = ProcessMemory(pid, proc)
    try:
        layout, gaps = find_layout(program, running.data, announce)
        go, experiments = split_version(go_version(program.image))
        image = RuntimeImage(memory, program, layout, running.bias, go, experiments, gaps)
        _check(image, running.path)
    except BaseException:
        memory.close()
        raise
    return image


def _check(image: RuntimeImage, path: str) -> None:
    """Check that the memory holds this program, and that its runtime's variables hold what they should."""
    name = f"pid {image.memory.pid} ({path})"
    module = image.program.module
    first = image.program.image.read(module.text, _CODE_BYTES)
    if first is not None and image.memory.read(module.text + image.bias, _CODE_BYTES) != bytes(first):
        raise TargetError(
            f"{name}: the code in memory is not that of its executable.",
            "If the program is packed or was moved by a loader of its own, observe it by its pprof endpoint.",
        )
    missing = [variable for variable in NEEDED if not image.has(variable)]
    reason = f"{missing[0]} was not found" if missing else _implausible(image)
    if reason:
        raise TargetError(
            f"{name}: the runtime of this program of {image.go or 'an unknown Go'} is not understood: {reason}.",
            "Build it without -ldflags=-s -w, or observe it by its pprof endpoint.",
        )


def _implausible(image: RuntimeImage) -> str:
    """Return what cannot be in a running Go program; "" when nothing is amiss."""
    try:
        goroutines, processors = (image.number(name, "len") for name in ("runtime.allgs", "runtime.allp"))
        inuse = image.number("runtime.gcController", "heapInUse")
        spans = image.number("runtime.mheap_", "allspans.len")
    except LayoutError as error:
        return error.message.rstrip(".")
    except UnreadableAddressError:
        return "its variables are not in memory"
    if not 0 < processors <= _MOST_PROCESSORS:
        return f"allp has {processors} entries"
    if not 0 < goroutines <= _MOST_ENTRIES or not 0 < spans <= _MOST_ENTRIES:
        return f"allgs has {goroutines} and allspans {spans} entries"
    if inuse % PAGE_BYTES or inuse > _MOST_HEAP_BYTES:
        return f"heapInUse is {inuse} bytes"
    return ""
