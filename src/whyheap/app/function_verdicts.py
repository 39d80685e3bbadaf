"""The job of `whyheap scan --functions`: which functions allocate each time they run, callees included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from whyheap.collect.binary_file import open_binary
from whyheap.collect.compiled_packages import CompiledPackages
from whyheap.goruntime.quiet_calls import GO_RUNTIME
from whyheap.join.callees import Callees, Lookup
from whyheap.model.function_verdict import FunctionVerdict
from whyheap.model.machine_code import FunctionCode
from whyheap.model.scan import Scan
from whyheap.parse.machine_code.binary import Binary
from whyheap.parse.machine_code.function_code import function_codes


def function_verdicts(compiled: CompiledPackages, scan: Scan, binary: Path | None = None) -> Iterator[FunctionVerdict]:
    """Yield a verdict for each function of the scanned packages that has machine code, by file and line.

    `binary` is the program whose code `scan` holds, None when it is that of the packages' archives.
    """
    lookup = compiled.library.function if binary is None else _linked(open_binary(binary))
    callees = Callees(lookup)
    codes = [code for package in scan.packages for code in package.functions or ()]
    for code in sorted(codes, key=lambda one: (one.site, one.symbol)):
        verdict = callees.allocates(code.symbol, code.site.package)
        yield FunctionVerdict(code.site, code.symbol, verdict.allocates, code.alone, verdict.via, len(code.calls))


def _linked(program: Binary) -> Lookup:
    """Return what finds a function's code in a program, whatever package calls it."""

    def lookup(symbol: str, near: str = "") -> FunctionCode | None:
        del near
        raw = program.function(symbol)
        return next(iter(function_codes([raw], program.arch, GO_RUNTIME, program.read)), None) if raw else None

    return lookup
