"""What machine code says of a heap value: which allocator calls of its line can be its, and which are nobody's.

A kind of call tells as much as the machine code knows: its line tables have no columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from whyheap.goruntime.allocators import AllocatorKind, always_allocates, kind_of
from whyheap.model.evidence import Agreement, Evidence
from whyheap.model.facts import AllocatorCall, CallPath, FactKind
from whyheap.patterns.escape import Escape, Storage

_K = AllocatorKind
_MADE_BY: Final[dict[Storage, tuple[set[AllocatorKind], ...]]] = {
    Storage.VARIABLE: ({_K.OBJECT},),
    Storage.OBJECT: ({_K.OBJECT}, {_K.CHANNEL}),
    Storage.MADE: ({_K.SLICE, _K.SLICE_MOVE}, {_K.OBJECT}, {_K.GROWTH}, {_K.MAP}, {_K.CHANNEL}),  # of named types too
    Storage.MAP: ({_K.MAP}, {_K.OBJECT}),
    Storage.APPEND: ({_K.GROWTH, _K.SLICE_MOVE}, {_K.SLICE, _K.OBJECT}),
    Storage.CLOSURE: ({_K.OBJECT},),
    Storage.ARGUMENTS: ({_K.OBJECT, _K.SLICE},),
    Storage.CONCATENATION: ({_K.CONCATENATION},),
    Storage.CONVERSION: ({_K.CONVERSION}, {_K.SLICE, _K.OBJECT}),
    Storage.BOX: ({_K.BOXING}, {_K.OBJECT}),
    Storage.METHOD: ({_K.OBJECT},),
}
"""cmd/compile/internal/walk: what the compiler calls for each kind of storage; most telling first (1.22 to 1.27)."""

PLAIN: Final = frozenset({_K.OBJECT, _K.SLICE, _K.BOXING})
"""What makes parts of literals, arguments and variables: it says little of which of them."""

_TEXT: Final = {_K.CONCATENATION, _K.CONVERSION}
_NOT_ON_THE_HEAP: Final = {_K.GOROUTINE}
"""A go statement's own structures are the scheduler's; what it captures is told by newobject."""

_CHECKED: Final = "crypto/internal/fips140"
_FUNCTIONS: Final = {Storage.CLOSURE, Storage.METHOD}

_RUNS: Final = {CallPath.ALWAYS, CallPath.LOOP, CallPath.UNKNOWN}


def calls_of(escape: Escape, calls: Iterable[AllocatorCall]) -> tuple[AllocatorCall, ...]:
    """Return those of some calls that can be this value's."""
    there = tuple(calls)
    for kinds in _MADE_BY[escape.storage]:
        found = tuple(call for call in there if kind_of(call.callee) in kinds and _is_of(escape.storage, call))
        if found:
            return found
    return ()


def _is_of(storage: Storage, call: AllocatorCall) -> bool:
    """Whether an object's type, where it is known, can be the value's: closures are structs with a function F."""
    return storage not in _FUNCTIONS or not call.type or call.type.startswith("struct { F ")


def agreement(escape: Escape, evidence: Evidence) -> Agreement:
    """Compare the compiler's "heap" with the machine code and what was measured."""
    if escape.never:
        return Agreement.NEVER_ALLOCATES
    if evidence.direct:
        return Agreement.AGREE
    calls = escape.calls
    if calls is None:
        return Agreement.UNKNOWN
    if not calls:
        return Agreement.NEVER_ALLOCATES
    surely = any(call.path in _RUNS and _is_ordinary(call.callee) for call in calls)
    return Agreement.AGREE if surely else Agreement.MAY_ALLOCATE


def _is_ordinary(callee: str) -> bool:
    """Whether a call makes an object of an ordinary heap value: without stack buffer, and above 255 if a number."""
    return always_allocates(callee, without_buffer=True) or kind_of(callee) is _K.BOXING


def is_checked_module(package: str) -> bool:
    """Whether a package may not refer to constants in read-only data, so that boxing one allocates.

    cmd/compile/internal/walk/order.go, addrTemp, and cmd/internal/obj/fips140.go, IsFIPS (1.24 to 1.27).
    """
    return package == _CHECKED or package.startswith(f"{_CHECKED}/")


def silent_calls(evidence: Evidence, escapes: Iterable[Escape]) -> tuple[AllocatorCall, ...]:
    """Return the calls of the line that no heap value accounts for, those on the way to a panic left out."""
    if not evidence.calls:
        return ()
    told: set[AllocatorKind] = set()
    for escape in escapes:
        if not escape.never or escape.storage is Storage.MADE:  # makeslice is called for size 0 too
            told.update(*_MADE_BY[escape.storage])
    return tuple(
        call
        for call in evidence.calls
        if call.path is not CallPath.COLD and (kind := kind_of(call.callee)) not in told | _NOT_ON_THE_HEAP and kind
    )


def silent_agreement(evidence: Evidence, calls: Sequence[AllocatorCall]) -> Agreement:
    """Tell whether a line allocates silently each time it runs, or may: measured bytes leave no doubt."""
    if evidence.direct or not calls:
        return Agreement.ALLOCATES_SILENTLY
    has_buffer = any(
        fact.kind is FactKind.STACK and fact.message.endswith("does not escape") for fact in evidence.facts
    )
    surely = any(
        call.path in _RUNS
        and always_allocates(call.callee, without_buffer=not has_buffer and kind_of(call.callee) in _TEXT)
        for call in calls
    )
    return Agreement.ALLOCATES_SILENTLY if surely else Agreement.MAY_ALLOCATE
