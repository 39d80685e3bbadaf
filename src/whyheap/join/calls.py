"""Allocator calls of machine code -> calls per line of the user's code.

One line of source is compiled several times: in its own function, wherever that is inlined, and once per shape of a
generic. The line's calls are those of all copies, equal ones counted once; the copy in the function itself comes first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from whyheap.goruntime.allocators import AllocatorKind, kind_of
from whyheap.model.facts import AllocatorCall, CallPath
from whyheap.model.machine_code import FunctionCode
from whyheap.model.scan import Scan
from whyheap.model.site import Site
from whyheap.parse.go_symbol import function_name, split_symbol

Line = tuple[str, int]
"""A spelled file and a line in it."""

_CERTAIN = (CallPath.ALWAYS, CallPath.LOOP, CallPath.BRANCH, CallPath.UNKNOWN, CallPath.COLD)
_RANK = {path: rank for rank, path in enumerate(_CERTAIN)}


class CallsByLine:
    """Allocator calls under the first line of the user's code, and which functions have machine code at all."""

    def __init__(self, scan: Scan) -> None:
        """Read the machine code of all packages that have some."""
        read = [package for package in scan.packages if package.functions is not None]
        self._owners = {file: package.package for package in scan.packages for file in package.files}
        self._read = {package.package for package in read}
        self._starts = {_line(function.site) for package in read for function in package.functions or ()}
        self._objects = {
            (_line(call.site), _line(call.inlined_at[0]) if call.inlined_at else None)
            for package in read
            for function in package.functions or ()
            for call in function.calls
            if kind_of(call.callee) is AllocatorKind.OBJECT
        }
        self._made = {line for line, _ in self._objects}
        self._compiled = {name for package in read for name in _names(package.package, package.functions or ())}
        self.lines = self._by_line(function for package in read for function in package.functions or ())

    def has_code(self, package: str, functions: Iterable[str]) -> bool:
        """Whether machine code of one of these functions was seen, on its own or inlined into another."""
        return package in self._read and any((package, function) in self._compiled for function in functions)

    def is_made_at_call(self, line: Line, call: Line) -> bool:
        """Whether an object of a function's first line is made on the line of a call that inlines the function."""
        return line in self._starts and (line, call) not in self._objects and call in self._made

    def _by_line(self, functions: Iterable[FunctionCode]) -> dict[Line, tuple[AllocatorCall, ...]]:
        copies: dict[Line, dict[object, list[AllocatorCall]]] = defaultdict(lambda: defaultdict(list))
        for function in functions:
            for call in function.calls:
                place = self.own_place(call)
                if place is not None:
                    copies[place.file, place.line][(call.symbol, call.inlined_at)].append(call)
        return {line: tuple(_united(instances.values())) for line, instances in copies.items()}

    def own_place(self, call: AllocatorCall) -> Site | None:
        """The innermost place that lies in a scanned file; None when no frame does."""
        return next((at for at in (call.site, *call.inlined_at) if at.file in self._owners), None)


def _line(site: Site) -> Line:
    return site.file, site.line


def _united(copies: Iterable[list[AllocatorCall]]) -> Iterator[AllocatorCall]:
    """Yield the calls of all copies of a line, equal calls of several copies once, the function's own copy first."""
    found: dict[object, AllocatorCall] = {}
    for calls in sorted(copies, key=lambda copy: (bool(copy[0].inlined_at), copy[0].symbol, copy[0].inlined_at)):
        ordinals: dict[object, int] = {}
        for call in calls:
            about = (call.callee, call.type, call.site.position)
            ordinals[about] = ordinal = ordinals.get(about, 0) + 1
            known = found.get((about, ordinal))
            if known is None or (known.inlined_at and _RANK[call.path] < _RANK[known.path]):
                found[about, ordinal] = call
    yield from found.values()


def _names(package: str, functions: Iterable[FunctionCode]) -> Iterator[tuple[str, str]]:
    """Yield package and function, as sites spell them, of all code in a package's functions, inlined code included."""
    for function in functions:
        yield function.site.package, function_name(function.site.function)
        for symbol in function.inlined:
            owner, name = split_symbol(symbol)
            yield package if owner == "main" else owner, function_name(name)


def calls_by_line(scan: Scan | None) -> CallsByLine | None:
    """Return the calls of a scan, None when no machine code was read."""
    if scan is None or all(package.functions is None for package in scan.packages):
        return None
    return CallsByLine(scan)
