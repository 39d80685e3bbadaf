"""Small profiles and scans made by hand, for the join."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence

from whyheap.model.facts import CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.gauge import Origin
from whyheap.model.profile import HeapProfile
from whyheap.model.scan import Scan, ScannedPackage
from whyheap.model.site import Position

Call = tuple[str, str, int]
"""Linker symbol, file as the build machine has it, line."""

MODULE = "example.com/shop"
HERE = "/build/src/shop"
GOROOT = "/usr/local/go"
RUNTIME = ("runtime.main", f"{GOROOT}/src/runtime/proc.go", 283)
GOEXIT = ("runtime.goexit", f"{GOROOT}/src/runtime/asm_amd64.s", 1700)
MALLOC = ("runtime.mallocgc", f"{GOROOT}/src/runtime/malloc.go", 1055)


def std(symbol: str, file: str, line: int = 1) -> Call:
    return symbol, f"{GOROOT}/src/{file}", line


def own(function: str, line: int, file: str = "cache/cache.go", package: str = "cache") -> Call:
    return f"{MODULE}/{package}.{function}", f"{HERE}/{file}", line


def sample(
    stack: Sequence[Call | Sequence[Call]], alloc: int = 100, inuse: int = 0
) -> tuple[list[list[Call]], int, int]:
    """One sample; a list in the stack is one location: calls inlined into its last."""
    return [[one] if isinstance(one, tuple) else list(one) for one in stack], alloc, inuse


def profile(
    samples: Iterable[tuple[list[list[Call]], int, int]], columns: Sequence[str] = ("alloc", "inuse")
) -> HeapProfile:
    rows = list(samples)
    functions: dict[tuple[str, str], int] = {}
    locations: dict[tuple[Call, ...], int] = {}
    offsets: list[int] = [0]
    stacks: list[int] = []
    for stack, _, _ in rows:
        stacks.extend(locations.setdefault(tuple(location), len(locations)) for location in stack)
        offsets.append(len(stacks))
    line_offsets: list[int] = [0]
    line_functions: list[int] = []
    line_numbers: list[int] = []
    for calls in locations:
        for symbol, file, line in calls:
            line_functions.append(functions.setdefault((symbol, file), len(functions)))
            line_numbers.append(line)
        line_offsets.append(len(line_numbers))
    numbers = {"alloc": [alloc for _, alloc, _ in rows], "inuse": [inuse for _, _, inuse in rows]}
    values: dict[str, Sequence[int]] = {
        f"{name}_{unit}": numbers[name] for name in columns for unit in ("space", "objects")
    }
    return HeapProfile(
        values=values,
        object_bytes=[0] * len(rows),
        stack_offsets=offsets,
        stack_locations=stacks,
        addresses=list(range(len(locations))),
        line_offsets=line_offsets,
        line_functions=line_functions,
        line_numbers=line_numbers,
        function_names=[symbol for symbol, _ in functions],
        function_files=[file for _, file in functions],
        function_start_lines=[0] * len(functions),
    )


def fact(
    file: str,
    line: int,
    message: str = "x escapes to heap",
    *,
    column: int = 2,
    function: str = "F",
    package: str = f"{MODULE}/cache",
    kind: FactKind = FactKind.HEAP,
    site: tuple[str, int] | None = None,
    through: Sequence[tuple[str, int]] = (),
) -> CompilerFact:
    """A fact printed at a place; `site` is where inlined code stands, `through` the calls in between."""
    printed = Position(file, line, column)
    subject = message.removeprefix("moved to heap: ").removesuffix(" escapes to heap")
    flow = (Flow("{heap}", "&x", (FlowStep("x", "spill", file, line, column),)),)
    if site is None:
        return CompilerFact(kind, printed, function, package, message, subject, printed, (), flow)
    calls = (*(Position(there, number, 1) for there, number in through), printed)
    return CompilerFact(kind, printed, function, package, message, subject, Position(*site, 5), calls, flow)


def scan(
    packages: dict[str, tuple[Sequence[str], Sequence[CompilerFact]]],
    *,
    programs: Iterable[str] = (),
    module: str = MODULE,
) -> Scan:
    """A scan of packages by import path, each with its files and facts."""
    scanned = tuple(
        ScannedPackage(path, f"/checkout/{posixpath.dirname(files[0])}", tuple(files), path in programs, tuple(facts))
        for path, (files, facts) in sorted(packages.items())
    )
    origin = Origin("compiler", "go1.27.3", "", "", "2026-01-01T00:00:00Z")
    return Scan("/checkout", module, "go1.27.3", "linux", "amd64", scanned, origin)


def shop(*facts: CompilerFact) -> Scan:
    """The usual scan: a library and a program."""
    main = [one for one in facts if one.package == f"{MODULE}/cmd/shop"]
    rest = [one for one in facts if one.package == f"{MODULE}/cache"]
    return scan(
        {
            f"{MODULE}/cache": (["cache/cache.go", "cache/lru.go"], rest),
            f"{MODULE}/cmd/shop": (["cmd/shop/main.go"], main),
        },
        programs={f"{MODULE}/cmd/shop"},
    )
