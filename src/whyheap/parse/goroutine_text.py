"""`/debug/pprof/goroutine?debug=1`: goroutines with the same stack, counted.

Format: Go's src/runtime/pprof/pprof.go, printCountProfile and printStackRecord (same in Go 1.22.10 and 1.27.3):

    goroutine profile: total 21
    5 @ 0x48c18a 0x419bce 0x4196f2 0x680b99 0x493081
    # labels: {"handler":"/orders"}
    #	0x680b98	main.(*T).wait+0x18	/src/main.go:4

The `@` line lists return addresses. Frames of package runtime above the first other frame are left out below it, and
with them what a goroutine waits for: `runtime.gopark`, `runtime.chanrecv`. The binary form of the same profile
(`goroutine?debug=0`) has their names; see `parse_frame_names`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from whyheap.errors import FormatError
from whyheap.model.facts import GoroutineGroup
from whyheap.model.site import Site
from whyheap.parse.frame_line import MAX_LINE_CHARACTERS, cut_frame
from whyheap.parse.go_symbol import split_symbol

MAX_GROUPS = 20_000
MAX_FRAMES = 512
"""Lines below a group that are looked at, whether they are frames or not."""

CHANNEL = "chan send or receive"
SELECT = "select"
WAITING = "waiting"
RUNNING = "running"
UNCERTAIN_STATES = frozenset({CHANNEL, SELECT, WAITING})
"""States that the text alone cannot tell exactly."""

_TAKE = "A goroutine profile is at /debug/pprof/goroutine?debug=1 of a service."
_HEADER = re.compile(r"goroutine(?:leak)? profile: total (\d{1,12})")
_GROUP = re.compile(r"(\d{1,12}) @((?: 0x[0-9a-f]{1,16})*)")

# The words of Go's own dumps: src/runtime/runtime2.go, waitReasonStrings.
_STATE_OF_FUNCTION = {
    "runtime.chanrecv": "chan receive",
    "runtime.chanrecv1": "chan receive",
    "runtime.chanrecv2": "chan receive",
    "runtime.chansend": "chan send",
    "runtime.chansend1": "chan send",
    "runtime.selectgo": "select",
    "runtime.block": "select (no cases)",
    "runtime.netpollblock": "IO wait",
    "internal/poll.runtime_pollWait": "IO wait",
    "time.Sleep": "sleep",
    "runtime.timeSleep": "sleep",
    "sync.runtime_notifyListWait": "sync.Cond.Wait",
    "sync.runtime_SemacquireWaitGroup": "sync.WaitGroup.Wait",
    "sync.runtime_SemacquireRWMutex": "sync.RWMutex.Lock",
    "sync.runtime_SemacquireRWMutexR": "sync.RWMutex.RLock",
    "sync.runtime_SemacquireMutex": "sync.Mutex.Lock",
    "internal/sync.runtime_SemacquireMutex": "sync.Mutex.Lock",
    "sync.(*WaitGroup).Wait": "sync.WaitGroup.Wait",
    "sync.(*RWMutex).RLock": "sync.RWMutex.RLock",
    "sync.(*RWMutex).Lock": "sync.RWMutex.Lock",
    "sync.(*Mutex).Lock": "sync.Mutex.Lock",
    "sync.runtime_Semacquire": "semacquire",
    "syscall.Syscall": "syscall",
    "syscall.Syscall6": "syscall",
    "syscall.RawSyscall6": "syscall",
    "runtime.cgocall": "syscall",
}
_HIDDEN_IN_SELECT = 2  # gopark, selectgo
_HIDDEN_IN_CHANNEL = 3  # gopark, chanrecv, chanrecv1


def parse_goroutine_total(text: str) -> int:
    """Return how many goroutines there are.

    Raises:
        FormatError: the text is not a goroutine profile.
    """
    match = _HEADER.match(text)
    if match is None:
        raise FormatError("it is not a goroutine profile in text form", _TAKE)
    return int(match[1])


def parse_goroutines(
    text: str, names: Mapping[int, str] | None = None, spell: Callable[[str], str] = str
) -> tuple[GoroutineGroup, ...]:
    """Return the groups in the profile's order, most goroutines first; at most MAX_GROUPS of them.

    `names` are functions by call address, from `parse_frame_names`: with them waits on channels are told apart, without
    them such a group's state is CHANNEL. `spell` turns files into the contract's spelling. Groups that differ only by
    labels are merged. Raises FormatError for anything else than a goroutine profile.
    """
    parse_goroutine_total(text)
    drafts: list[_Draft] = []
    for line in text.split("\n")[1:]:
        if line.startswith("#"):
            if drafts:
                drafts[-1].add_frame(line, spell)
        elif line.strip():
            match = _GROUP.fullmatch(line) if len(line) <= MAX_LINE_CHARACTERS else None
            if match is None:
                raise FormatError(f"a goroutine profile has no line such as {line[:60]!a}", _TAKE)
            if len(drafts) == MAX_GROUPS:
                break
            drafts.append(_Draft(int(match[1]), [int(address, 16) for address in match[2].split()]))
    parked = {draft.addresses[0] for draft in drafts if draft.addresses and draft.shows_wait()}
    merged: dict[tuple[str, tuple[Site, ...]], int] = {}
    for draft in drafts:
        key = (draft.state(parked, names or {}), tuple(draft.stack))
        merged[key] = merged.get(key, 0) + draft.count
    groups = [GoroutineGroup(count, state, stack) for (state, stack), count in merged.items()]
    return tuple(sorted(groups, key=lambda group: -group.count))


def state_of_frames(symbols: Sequence[str]) -> str | None:
    """Return the state that a stack's first shown functions tell, leaf first; None when they do not."""
    for symbol in reversed(symbols[:4]):  # sync.(*Mutex).Lock says more than the semaphore below it
        if symbol in _STATE_OF_FUNCTION:
            return _STATE_OF_FUNCTION[symbol]
    return None


class _Draft:
    """A group while its lines are read."""

    def __init__(self, count: int, addresses: list[int]) -> None:
        self.count = count
        self.addresses = addresses
        self.stack: list[Site] = []
        self.symbols: list[str] = []
        self.first_shown = 0
        self.lines_left = MAX_FRAMES

    def add_frame(self, line: str, spell: Callable[[str], str]) -> None:
        self.lines_left -= 1
        frame = cut_frame(line) if self.lines_left >= 0 else None
        if frame is None or not frame[1]:
            return  # labels, or an address without a function
        address, symbol, _, file, line_number = frame
        if not self.stack:
            self.first_shown = address
        package, function = split_symbol(symbol)
        self.symbols.append(symbol)
        self.stack.append(Site(spell(file), line_number, 0, function, package))

    def shows_wait(self) -> bool:
        """Whether the frames that are shown tell that it waits."""
        return bool(self.symbols) and self.symbols[0] in _STATE_OF_FUNCTION

    def state(self, parked: set[int], names: Mapping[int, str]) -> str:
        shown = state_of_frames(self.symbols)
        if shown is not None:
            return shown
        hidden = self._hidden()
        for address in hidden:
            state = _STATE_OF_FUNCTION.get(names.get(address - 1, ""))
            if state is not None:
                return state
        if not hidden or hidden[0] not in parked:
            return RUNNING
        return {_HIDDEN_IN_SELECT: SELECT, _HIDDEN_IN_CHANNEL: CHANNEL}.get(len(hidden), WAITING)

    def _hidden(self) -> list[int]:
        """Return the return addresses of runtime frames above the first frame shown (a call is before its return)."""
        for index, address in enumerate(self.addresses):
            if address - 1 == self.first_shown:
                return self.addresses[:index]
        return []
