"""Whether a function allocates, its callees included, and by whom.

A verdict goes from callee to caller over calls that may return: a callee that always allocates, called on every path,
makes its caller do so; anything less makes it "may". Functions that call each other in a circle are settled together,
from "never" upward, so that a circle adds nothing of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from whyheap.goruntime.allocators import always_allocates, is_allocator
from whyheap.goruntime.quiet_calls import makes_no_object
from whyheap.model.facts import CallPath
from whyheap.model.machine_code import Allocates, CodeCall, FunctionCode

Lookup = Callable[[str, str], FunctionCode | None]
"""Finds a function's code by its linker symbol and the package (import path) whose code calls it; None when not seen.

The package matters for instances of generics: the compiler puts them where they are used.
"""

_LEVEL: Final = {Allocates.NEVER: 0, Allocates.UNKNOWN: 1, Allocates.MAY: 2, Allocates.ALWAYS: 3}
_MOST_FUNCTIONS: Final = 20_000
_DEEPEST_CHAIN: Final = 64
_RANK: Final = {CallPath.ALWAYS: 3, CallPath.LOOP: 2, CallPath.BRANCH: 1, CallPath.UNKNOWN: 0}
_SURE: Final = frozenset({CallPath.ALWAYS, CallPath.LOOP})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a function allocates each time it runs to its return.

    `via` are the linker symbols from the first callee to what decides: the allocator's function, or one whose code was
    not seen. Empty for "never", and where the function itself calls through a pointer.
    """

    allocates: Allocates
    via: tuple[str, ...] = ()


_NEVER: Final = Verdict(Allocates.NEVER)


def allocates(symbol: str, lookup: Lookup, near: str = "") -> Verdict:
    """Judge one function, as code in package `near` reaches it; for many of one program, keep a `Callees`."""
    return Callees(lookup).allocates(symbol, near)


class Callees:
    """Verdicts over one program's functions, each settled once.

    A question follows at most `most_functions` functions; those beyond count as not seen.
    """

    def __init__(self, lookup: Lookup, most_functions: int = _MOST_FUNCTIONS) -> None:
        """Judge the functions that `lookup` finds."""
        self._lookup = lookup
        self._most = most_functions
        self._codes: dict[str, FunctionCode | None] = {}
        self._near: dict[str, str] = {}
        self._settled: dict[str, Allocates] = {}
        self._because: dict[str, str] = {}

    def allocates(self, symbol: str, near: str = "") -> Verdict:
        """Judge a function by its linker symbol, as code in package `near` reaches it; UNKNOWN when not seen."""
        if is_allocator(symbol):
            return Verdict(Allocates.ALWAYS)
        if makes_no_object(symbol):
            return _NEVER
        if symbol not in self._settled:
            self._near.setdefault(symbol, near)
            self._settle(symbol)
        level = self._settled[symbol]
        return Verdict(level, tuple(self._chain(symbol))) if level is not Allocates.NEVER else _NEVER

    def _code(self, symbol: str) -> FunctionCode | None:
        if symbol not in self._codes:
            near = self._near.get(symbol, "")
            found = self._lookup(symbol, near)
            if found is None and symbol.endswith(".abi0"):
                found = self._lookup(symbol.removesuffix(".abi0"), near)
            self._codes[symbol] = found
        return self._codes[symbol]

    def _settle(self, symbol: str) -> None:
        order, is_whole = self._gather(symbol)
        level = dict.fromkeys(order, Allocates.NEVER)
        callers: dict[str, list[str]] = {}
        for caller in order:
            for call in _that_count(self._code(caller)):
                if call.callee in level:
                    callers.setdefault(call.callee, []).append(caller)
        waiting = list(reversed(order))
        while waiting:
            one = waiting.pop()
            new, because = self._judge(one, level)
            if _LEVEL[new] > _LEVEL[level[one]]:
                level[one] = new
                self._because[one] = because
                waiting.extend(callers.get(one, ()))
        self._settled.update(level if is_whole else {symbol: level[symbol]})

    def _gather(self, symbol: str) -> tuple[list[str], bool]:
        """Return the functions to settle together, callees behind callers, and whether none was left out."""
        order, seen = [], {symbol}
        waiting = [symbol]
        while waiting:
            one = waiting.pop()
            order.append(one)
            for call in _that_count(self._code(one)):
                callee = call.callee
                if not callee or callee in seen or callee in self._settled or makes_no_object(callee):
                    continue
                if len(seen) >= self._most:
                    return order, False
                seen.add(callee)
                self._near.setdefault(callee, self._home(one))
                waiting.append(callee)
        return order, True

    def _home(self, symbol: str) -> str:
        """Return the package that holds a function's code: an instance is where it was called from."""
        code = self._code(symbol)
        is_instance = "[" in symbol
        return self._near.get(symbol, "") if code is None or is_instance else code.site.package

    def _judge(self, symbol: str, level: dict[str, Allocates]) -> tuple[Allocates, str]:
        code = self._code(symbol)
        if code is None:
            return Allocates.UNKNOWN, ""
        best, because = code.alone, _own_reason(code)
        for call in _that_count(code):
            found = _through(call, self._level(call.callee, level))
            if _LEVEL[found] > _LEVEL[best]:
                best, because = found, call.callee
        return best, because

    def _level(self, callee: str, level: dict[str, Allocates]) -> Allocates:
        if not callee:
            return Allocates.UNKNOWN
        if makes_no_object(callee):
            return Allocates.NEVER
        return level.get(callee) or self._settled.get(callee) or Allocates.UNKNOWN

    def _chain(self, symbol: str) -> Iterator[str]:
        seen = {symbol}
        while len(seen) < _DEEPEST_CHAIN:
            symbol = self._because.get(symbol, "")
            if not symbol or symbol in seen:
                return
            seen.add(symbol)
            yield symbol


def _that_count(code: FunctionCode | None) -> Iterable[CodeCall]:
    """Return the calls that can change the verdict of a function: sure ones first, as they are the better reason."""
    if code is None or code.alone is Allocates.ALWAYS:
        return ()
    if code.alone is Allocates.MAY:
        return [call for call in code.callees if call.path is CallPath.ALWAYS]
    calls = [call for call in code.callees if call.path is not CallPath.COLD]
    return sorted(calls, key=lambda call: call.path not in _SURE)


def _own_reason(code: FunctionCode) -> str:
    """Return the allocator that decides: one that always makes an object before others, on the surest path."""
    calls = [call for call in code.calls if call.path is not CallPath.COLD]
    best = max(calls, key=lambda call: (_RANK[call.path], always_allocates(call.callee)), default=None)
    return best.callee if best else ""


def _through(call: CodeCall, callee: Allocates) -> Allocates:
    """Return what a callee's verdict says of the caller."""
    if callee is Allocates.NEVER:
        return Allocates.NEVER
    if call.path is CallPath.ALWAYS:
        return callee
    if callee is Allocates.UNKNOWN and call.path is not CallPath.BRANCH:
        return Allocates.UNKNOWN
    return Allocates.MAY


def by_symbol(codes: Iterable[FunctionCode]) -> dict[str, FunctionCode]:
    """Return functions by linker symbol, for the names that executables have.

    There all instances of a generic share one name (F[...]) and become one function that does what some of them do; of
    others with one name (wrappers between calling conventions) the largest counts.
    """
    found: dict[str, FunctionCode] = {}
    for code in codes:
        known = found.get(code.symbol)
        if known is None:
            found[code.symbol] = code
        elif "[" in code.symbol:
            found[code.symbol] = _united(known, code)
        elif code.size_bytes > known.size_bytes:
            found[code.symbol] = code
    return found


def _united(one: FunctionCode, other: FunctionCode) -> FunctionCode:
    paths: dict[str, set[CallPath]] = {}
    for code in (one, other):
        for call in code.callees:
            paths.setdefault(call.callee, set()).add(call.path)
    common = {call.callee for call in one.callees} & {call.callee for call in other.callees}
    callees = tuple(
        CodeCall(callee, min(found, key=_certainty) if callee in common else CallPath.BRANCH)
        for callee, found in paths.items()
    )
    alone = one.alone if one.alone is other.alone else Allocates.MAY
    return replace(one, calls=(*one.calls, *other.calls), callees=callees, alone=alone)


def _certainty(path: CallPath) -> int:
    return _RANK.get(path, -1)
