"""Instruction beginnings against capstone, and the time that control flow takes, over whole amd64 or arm64 programs.

    .venv/bin/python -m bench.control_flow PROGRAM...

Prints, per program: functions and instructions that begin where capstone says (amd64), functions that differ, CPU
seconds of both (capstone gives instructions only), then CPU seconds of all verdicts and the share of calls in flow not
understood.
"""

from __future__ import annotations

import mmap
import sys
import time
from collections import Counter
from pathlib import Path

import capstone  # type: ignore[import-untyped] # it has no types

from whyheap.goruntime import allocators
from whyheap.goruntime.quiet_calls import GO_RUNTIME
from whyheap.model.facts import CallPath
from whyheap.parse.machine_code import instructions_amd64
from whyheap.parse.machine_code.binary import Binary
from whyheap.parse.machine_code.function_code import function_codes


def main(programs: list[str]) -> None:
    """Measure each program."""
    for program in programs:
        with Path(program).open("rb") as handle:
            data = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        binary = Binary(data, allocators.is_allocator, allocators.type_argument)
        print(program)
        if binary.arch == "amd64":
            _instructions(binary)
        _flow(binary)


def _instructions(binary: Binary) -> None:
    disassembler = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    codes = {f"{one.symbol} ({one.site.file})": bytes(one.code) for one in binary.functions()}
    begun = time.process_time()
    instructions_amd64.transfers(list(codes.values()))
    ours = time.process_time() - begun
    begun = time.process_time()
    expected = {name: [one[0] for one in disassembler.disasm_lite(code, 0)] for name, code in codes.items()}
    theirs = time.process_time() - begun
    differing = [name for name, code in codes.items() if instructions_amd64.starts(code) != expected[name]]
    count = sum(len(begins) for name, begins in expected.items() if name not in differing)
    print(
        f"  {len(codes) - len(differing):,} functions, {count:,} instructions equal; differing: {differing or 'none'}"
    )
    print(f"  control transfers {ours:.1f} s, capstone {theirs:.1f} s")


def _flow(binary: Binary) -> None:
    paths: Counter[CallPath] = Counter()
    begun = time.process_time()
    for code in function_codes(binary.functions(), binary.arch, GO_RUNTIME, binary.read):
        paths.update(call.path for call in code.calls)
        paths.update(call.path for call in code.callees)
    seconds = time.process_time() - begun
    unknown = paths[CallPath.UNKNOWN] / max(paths.total(), 1)
    print(f"  verdicts {seconds:.1f} s; {paths.total():,} calls, {unknown:.2%} in flow not understood")


if __name__ == "__main__":
    main(sys.argv[1:])
