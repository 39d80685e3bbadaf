"""What package testing writes while whyheap's hooks are in it: one JSON object a line (testing_overlay/whyheap.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from whyheap.model.site import Site, Stack
from whyheap.parse.heap_reach import Retained
from whyheap.parse.traceback_text import Traces

_STATE = re.compile(r"goroutine \d+ \[([^\]]*)\]")
_LEAKED = " (leaked)"
_ADDED = re.compile(r" \((?:scan|durable|leaked)\)")


class _Start(msgspec.Struct, tag_field="kind", tag="start"):
    package: str


class _Goroutine(msgspec.Struct, tag_field="kind", tag="goroutine"):
    test: str
    how: str
    trace: str
    count: int = 1
    ids: tuple[int, ...] = ()


class Limited(msgspec.Struct, tag_field="kind", tag="limit", frozen=True):
    """What a test or benchmark with a limit allocated: in a test altogether, in a benchmark per operation.

    `n` is how often a benchmark ran. `parallel`: the test, or parts of it, ran beside others.
    """

    name: str
    allocs: int
    bytes: int
    n: int = 1
    parallel: bool = False
    parallel_parts: bool = False


class _Parallel(msgspec.Struct, tag_field="kind", tag="parallel"):
    name: str


class End(msgspec.Struct, tag_field="kind", tag="end", frozen=True):
    """How a package's tests ended. Heap and stacks are bytes in use after a GC, before the tests and after them.

    `left` counts goroutines that tests left, of which the report may hold only the first; `children` those of
    goroutines that were there before the tests. `witness`: the runtime was asked which can never go on. `dump` names
    the file with the heap while they were there, `undumped` says why there is none.
    """

    exit: int
    tests: int
    left: int
    children: int
    waited_ms: int
    heap_before: int
    heap_after: int
    stack_before: int
    stack_after: int
    witness: bool
    too_many: bool
    harmless: Mapping[str, int]
    dump: str = ""
    undumped: str = ""


@dataclass(frozen=True, slots=True)
class LeftGoroutine:
    """Goroutines alike, `count` of them, that were still there when all tests were over.

    `test` is the one that left it, and `how` that is known: "created" in its own goroutine, or seen first "after" it;
    "" and "parallel" where several ran. `is_stuck`: the runtime says that it can never go on.
    """

    test: str
    how: str
    state: str
    is_stuck: bool
    stack: Stack
    created_by: Site | None
    trace: str
    count: int = 1
    numbers: tuple[int, ...] = ()
    """As in traces: goroutine 7."""


LeakKey = tuple[Site | None, Stack, str, bool]


def leak_key(one: LeftGoroutine) -> LeakKey:
    """Return what goroutines have in common that are one leak, whichever tests left them."""
    return one.created_by, one.stack, one.state, one.is_stuck


@dataclass(slots=True)
class PackageReport:
    """All that the test binary of one package said; `end` is None when it did not come to its end.

    `retained` is what each leak keeps alive; where that is not known, `not_retained` says why.
    """

    package: str
    goroutines: list[LeftGoroutine] = field(default_factory=list)
    limited: list[Limited] = field(default_factory=list)
    parallel: list[str] = field(default_factory=list)
    end: End | None = None
    unread: int = 0
    """Lines and traces that were not understood."""
    retained: dict[LeakKey, Retained] = field(default_factory=dict)
    not_retained: str = ""


_Line = _Start | _Goroutine | Limited | _Parallel | End
_decoder = msgspec.json.Decoder(_Line)


def parse_hook_report(data: bytes, spell: Callable[[str], str] = str) -> list[PackageReport]:
    """Read one test binary's file; a TestMain that runs the tests twice gives two reports."""
    reports: list[PackageReport] = []
    for raw in data.splitlines():
        try:
            line = _decoder.decode(raw)
        except msgspec.DecodeError:
            line = None
        if isinstance(line, _Start):
            reports.append(PackageReport(line.package))
        elif not reports:
            continue
        elif line is None:
            reports[-1].unread += 1
        else:
            _take(reports[-1], line, spell)
    return reports


def _take(report: PackageReport, line: _Line, spell: Callable[[str], str]) -> None:
    if isinstance(line, _Goroutine):
        goroutine = _goroutine(line, spell)
        if goroutine is None:
            report.unread += 1
        else:
            report.goroutines.append(goroutine)
    elif isinstance(line, Limited):
        report.limited.append(line)
    elif isinstance(line, _Parallel):
        report.parallel.append(line.name)
    elif isinstance(line, End):
        report.end = line


def _goroutine(line: _Goroutine, spell: Callable[[str], str]) -> LeftGoroutine | None:
    traces = Traces(spell)
    for text in line.trace.splitlines():
        traces.add(text)
    header = _STATE.match(line.trace)
    groups = traces.groups()
    if header is None or len(groups) != 1:
        return None
    state = _ADDED.sub("", header[1].partition(",")[0])
    group = groups[0]
    return LeftGoroutine(
        line.test,
        line.how,
        state,
        _LEAKED in header[1],
        group.stack,
        group.created_by,
        line.trace,
        line.count,
        line.ids,
    )


def functions_of(goroutine: LeftGoroutine) -> Iterator[str]:
    """Yield the symbols of a goroutine's frames and of its creator."""
    sites: Iterable[Site] = goroutine.stack
    yield from (site.symbol for site in sites)
    if goroutine.created_by is not None:
        yield goroutine.created_by.symbol
