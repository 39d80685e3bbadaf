"""Calls of the allocator as `go tool objdump` prints them, to compare with."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from whyheap.goruntime.allocators import is_allocator

Call = tuple[int, str, str, int]
"""Address, callee, base name of the file, line of the innermost inlined frame."""

_CALL = re.compile(r"^\s+(\S+):(\d+)\t+0x([0-9a-f]+)\t.*\tCALL (\S+)\(SB\)\s*$")


def allocator_calls(go: Path, binary: Path, env: Mapping[str, str]) -> set[Call]:
    """Disassemble the whole program and keep its calls of the allocator."""
    command = [str(go), "tool", "objdump", str(binary)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(env), text=True, errors="replace") as child:
        found = set(parse(child.stdout or ()))
    assert child.returncode == 0
    return found


def parse(lines: Iterable[str]) -> Iterator[Call]:
    """Yield the calls that objdump's text shows."""
    for line in lines:
        call = _CALL.match(line) if "CALL " in line else None
        if call and is_allocator(call[4]):
            yield int(call[3], 16), call[4].removesuffix(".abi0"), call[1], int(call[2])
