"""The machine code behind one line: which functions hold it, their instructions, whether they allocate as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from whyheap.app.gather import Gathered
from whyheap.collect.binary_file import open_binary
from whyheap.errors import FormatError
from whyheap.join.callees import Callees
from whyheap.model.evidence import Evidence
from whyheap.model.facts import AllocatorCall
from whyheap.model.machine_code import Allocates, FunctionCode
from whyheap.report.disassembly import ARCHITECTURES, disassemble
from whyheap.report.line_details import FunctionAllocation, Listing

_MOST_LISTINGS = 3
_MOST_FUNCTIONS = 3


def listings(
    gathered: Gathered, here: Evidence | None, code: Iterable[FunctionCode], binary: Path | None, *, whole: bool
) -> Iterator[Listing]:
    """Yield the code around the line's allocator calls; with `whole` also of its functions that have none.

    `binary` is the linked program that the calls are of, None for the packages' archives.
    """
    if gathered.compiled is None or gathered.capture.scan is None:
        return
    architecture = gathered.capture.scan.goarch
    if architecture not in ARCHITECTURES:
        return
    by_symbol: dict[str, list[AllocatorCall]] = defaultdict(list)
    for call in (here.calls if here is not None else None) or ():
        by_symbol[call.symbol].append(call)
    if whole:
        for function in code:
            by_symbol.setdefault(function.symbol, [])
    near = here.site.package if here is not None else ""
    program = open_binary(binary) if binary is not None else None
    library = gathered.compiled.library
    for symbol, calls in list(by_symbol.items())[:_MOST_LISTINGS]:
        try:
            found = program.function(symbol) if program is not None else library.raw_function(symbol, near)
            instructions = disassemble(found, architecture) if found is not None else ()
        except FormatError:  # its calls were read before: the archive changed since
            continue
        if instructions:
            yield Listing(symbol, architecture, instructions, tuple(calls), found.address if found is not None else 0)


def function_allocations(
    gathered: Gathered, code: Iterable[FunctionCode], near: str = ""
) -> Iterator[FunctionAllocation]:
    """Say of each function that holds the line whether it allocates when it runs, by what it calls too.

    `near` is the package of the line: symbols of programs all begin with `main.`
    """
    if gathered.compiled is None:
        return
    library = gathered.compiled.library
    callees = Callees(library.function)
    for function in list(code)[:_MOST_FUNCTIONS]:
        verdict = callees.allocates(function.symbol, near)
        through = [
            call.callee
            for call in function.callees
            if call.callee and callees.allocates(call.callee, near).allocates in {Allocates.ALWAYS, Allocates.MAY}
        ]
        yield FunctionAllocation(function.symbol, verdict.allocates, len(function.calls), tuple(through))
