"""Opening a running Go program: its executable, its layout and its memory, checked to be what it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from whyheap.collect.runtime_image import RuntimeImage
from whyheap.collect.runtime_layout_store import find_layout
from whyheap.errors import FormatError, TargetError
from whyheap.goruntime.allocators import type_argument
from whyheap.goruntime.runtime_layout import NEEDED
from whyheap.host.process_memory import ProcessMemory
from whyheap.host.procfs import PROC
from whyheap.host.running_program import open_running_program
from whyheap.parse.machine_code.build_marks import go_version
from whyheap.parse.machine_code.program import Program
from whyheap.parse.source_path import spell_foreign

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
        go, _, experiments = go_version(program.image).partition(" ")
        image = RuntimeImage(memory, program, layout, running.bias, go, experiments.removeprefix("X:"), gaps)
        missing = [name for name in NEEDED if not image.has(name)]
        if missing:
            raise TargetError(
                f"pid {pid} ({running.path}): {missing[0]} was not found in this program of {go or 'an unknown Go'}.",
                "Build it without -ldflags=-s, or observe it by its pprof endpoint.",
            )
        _check(image)
    except BaseException:
        memory.close()
        raise
    return image


def _check(image: RuntimeImage) -> None:
    """Check that the memory holds the program that the file says: the line tables' first bytes are never written."""
    module = image.program.module
    first = image.program.image.read(module.text, 64)
    if first is not None and image.memory.read(module.text + image.bias, 64) != bytes(first):
        raise TargetError(
            f"pid {image.memory.pid}: the code in memory is not that of its executable.",
            "If the program is packed or was moved by a loader of its own, observe it by its pprof endpoint.",
        )
