"""Reads the machine code of the program that --binary names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from whyheap.collect.binary_file import open_binary
from whyheap.errors import UsageError
from whyheap.goruntime.quiet_calls import GO_RUNTIME
from whyheap.join.linked_code import is_wanted, wanted_packages, with_linked_code
from whyheap.model.facts import AllocatorCall
from whyheap.model.scan import Scan
from whyheap.parse.machine_code.function_code import function_codes


def link(scan: Scan, binary: Path) -> Scan:
    """Return the scan with the program's machine code.

    Raises TargetError or FormatError when the program cannot be read, UsageError when it is of another architecture.
    """
    program = open_binary(binary, _as_it_is)
    if program.arch != scan.goarch:
        raise UsageError(
            f"{binary} is a program for {program.arch}, the source was compiled for {scan.goarch}",
            f"Compile for the same:  --goarch {program.arch}",
        )
    packages = wanted_packages(scan)
    raw = (function for function in program.functions() if is_wanted(function.symbol, packages))
    codes = function_codes(raw, program.arch, GO_RUNTIME, program.read)
    return with_linked_code(scan, binary.name, program.go_version, codes, program.base_address)


def linked_calls(binary: Path) -> Iterator[AllocatorCall]:
    """Yield all allocator calls of a program, std's included, by address; `path` stays unknown."""
    return open_binary(binary).allocator_calls()


def package_calls(scan: Scan) -> Iterator[AllocatorCall]:
    """Yield the allocator calls of the scanned packages, by package and function, those of tests included."""
    for package in scan.packages:
        for function in package.functions or ():
            yield from (replace(call, symbol=function.symbol) for call in function.calls)


def _as_it_is(path: str) -> str:
    return path
