"""The goroutines of a process as the runtime keeps them (runtime.allgs): states, reasons to wait, where they began."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyheap.collect.runtime_image import RuntimeImage
from whyheap.goruntime.runtime_layout import DEAD, LEAKED, SCAN_BIT, STATES, USER_STARTS
from whyheap.parse.machine_code.pc_values import Numbers

MOST_GOROUTINES = 1 << 20
MOST_AT_ONCE = 1 << 11
_WORD = 8
_LAST_ADDRESS = 1 << 56  # more than any Linux gives a process
_RUNNING_FINALIZER = 2  # mfinal.go fingRunningFinalizer, 1.22 to 1.27
_FINALIZER_STARTS = frozenset({"runtime.runfinq", "runtime.runFinalizers"})  # until 1.24, since 1.25
_CLEANUP_START = "runtime.runCleanups"  # since 1.25
_DEAD_STATES = tuple(number for number, name in STATES.items() if name in DEAD)
_WAITING_STATES = tuple(number for number, name in STATES.items() if name in {"waiting", "leaked"})
_NIL = " (nil chan)"


@dataclass(frozen=True, slots=True)
class GoroutineTable:
    """Goroutines that are not dead, a column each; those of the runtime itself are left out.

    `turns` counts, modulo 256, how often each has stopped running (runtime2.go trackingSeq, 1.22 to 1.27).

    `states` are numbers for `state_name`. Program counter and stack pointer are those of the call into the kernel or
    of where it parked; both 0 where it runs, so that nothing of its stack is known. Nothing keeps them from running on.
    """

    addresses: Numbers
    ids: Numbers
    turns: Numbers
    states: Numbers
    created_at: Numbers  # return addresses behind the go statements; 0 = none
    pcs: Numbers
    stack_pointers: Numbers
    links: Numbers  # saved link registers (arm64)
    lows: Numbers
    highs: Numbers

    def __len__(self) -> int:
        """Return how many they are."""
        return len(self.addresses)

    def rows(self, which: NDArray[np.bool_] | Numbers) -> GoroutineTable:
        """Return some of them."""
        return GoroutineTable(*(getattr(self, name)[which] for name in self.__slots__))

    def joined(self, other: GoroutineTable) -> GoroutineTable:
        """Return these and others, by address."""
        both = GoroutineTable(*(np.concatenate((getattr(self, name), getattr(other, name))) for name in self.__slots__))
        return both.rows(np.argsort(both.addresses))

    def is_same(self, other: GoroutineTable) -> NDArray[np.bool_]:
        """Tell for each of these whether it has not run since: `other`, read later, has the same turn, state, place."""
        order = np.argsort(other.addresses)
        at = np.searchsorted(other.addresses[order], self.addresses)
        is_there = at < len(other)
        found = order[np.minimum(at, len(other) - 1)] if len(other) else np.zeros(len(self), np.int64)
        for name in ("addresses", "ids", "turns", "states", "pcs", "stack_pointers", "lows") if len(other) else ():
            is_there &= getattr(self, name) == getattr(other, name)[found]
        return is_there


class Goroutines:
    """Reads the goroutines of one process.

    All methods raise `TargetError` when it has ended, `LayoutError` when its Go keeps goroutines in an unknown way.
    """

    def __init__(self, image: RuntimeImage) -> None:
        """Nothing is read yet."""
        self._image = image
        self._system: dict[int, str] = {}
        self._has_turns = image.has_field("g", "trackingSeq")
        self._has_link = image.program.image.arch == "arm64"

    def batches(self) -> Iterator[GoroutineTable]:
        """Yield all goroutines, up to `MOST_GOROUTINES`, some thousands at a time."""
        image = self._image
        count = min(image.number("runtime.allgs", "len"), MOST_GOROUTINES)
        if not count:
            return
        table = image.memory.read(image.number("runtime.allgs", "array"), _WORD * count)
        addresses = np.unique(np.frombuffer(table, np.int64))
        addresses = addresses[(addresses > 0) & (addresses < _LAST_ADDRESS)]
        for first in range(0, len(addresses), MOST_AT_ONCE):
            yield self.read(addresses[first : first + MOST_AT_ONCE])

    def read(self, addresses: Numbers) -> GoroutineTable:
        """Return the live ones of the goroutines at sorted addresses."""
        records, is_known = self._image.memory.read_records(addresses, self._image.sizeof("g"))
        status = self._column(records, "atomicstatus") & ~SCAN_BIT
        start = self._column(records, "startpc")
        is_live = is_known & ~np.isin(status, _DEAD_STATES)
        is_live &= ~self._is_system(records, start)
        records, status = records[is_live], status[is_live]
        ids = self._column(records, "goid")
        in_call = self._column(records, "syscallsp") != 0
        is_waiting = np.isin(status, _WAITING_STATES)
        runs = (status == _number_of("running")) | (status == _number_of("copystack"))
        has_stack = in_call | ~runs
        pcs = np.where(in_call, self._column(records, "syscallpc"), self._column(records, "sched.pc"))
        pointers = np.where(in_call, self._column(records, "syscallsp"), self._column(records, "sched.sp"))
        return GoroutineTable(
            addresses=addresses[is_live],
            ids=ids,
            turns=self._column(records, "trackingSeq") if self._has_turns else np.zeros(len(ids), np.int64),
            states=status << 8 | np.where(is_waiting, self._column(records, "waitreason"), 0),
            created_at=np.where(ids == 1, 0, self._column(records, "gopc")),  # the runtime itself begins main
            pcs=np.where(has_stack, pcs, 0),
            stack_pointers=np.where(has_stack, pointers, 0),
            links=np.where(in_call, 0, self._column(records, "sched.lr") if self._has_link else 0),
            lows=self._column(records, "stack.lo"),
            highs=self._column(records, "stack.hi"),
        )

    def _column(self, records: NDArray[np.uint8], path: str) -> Numbers:
        place = self._image.field("g", path)
        wide = np.zeros((len(records), _WORD), np.uint8)
        size = min(place.size, _WORD)
        wide[:, :size] = records[:, place.offset : place.offset + size]
        return wide.view(np.int64).reshape(-1)

    def _is_system(self, records: NDArray[np.uint8], starts: Numbers) -> NDArray[np.bool_]:
        """Tell which are the runtime's own (traceback.go isSystemGoroutine): not while they call the user's code."""
        image = self._image
        distinct, which = np.unique(starts, return_inverse=True)
        for start in distinct.tolist():
            if start not in self._system:
                self._system[start] = image.functions.symbol(start)
        names = [self._system[start] for start in distinct.tolist()]
        finalizes = image.has("runtime.fingStatus") and bool(image.number("runtime.fingStatus") & _RUNNING_FINALIZER)
        is_user = [
            not name.startswith("runtime.") or name in USER_STARTS or (finalizes and name in _FINALIZER_STARTS)
            for name in names
        ]
        found: NDArray[np.bool_] = ~np.array(is_user, np.bool_)[which]
        if image.has_field("g", "runningCleanups"):
            cleans = np.array([name == _CLEANUP_START for name in names], np.bool_)[which]
            found &= ~(cleans & (self._column(records, "runningCleanups") != 0))
        return found


def _number_of(name: str) -> int:
    return next(number for number, known in STATES.items() if known == name)


def state_name(state: int, reasons: tuple[str, ...]) -> str:
    """Return a state as Go's own dumps have it: "running", "runnable", "syscall", a reason to wait from `reasons`.

    That a channel is nil is left out: profiles do not tell it either, and the state names what is waited for.
    """
    status, number = state >> 8, state & 0xFF
    name = STATES.get(status, f"state {status}")
    if status not in _WAITING_STATES:
        return name
    reason = reasons[number].removesuffix(_NIL) if number < len(reasons) and reasons[number] else "waiting"
    return reason + LEAKED if name == "leaked" else reason
