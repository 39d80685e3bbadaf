r"""Goroutine traces as a dying Go process prints them (the form of `goroutine?debug=2`), grouped by equal stack.

Source: Go's src/runtime/traceback.go, goroutineheader, traceback2, printcreatedby1 (1.22.10 and 1.27.3):

    goroutine 7 gp=0xc000 m=3 mp=0xc001 [chan receive, 5 minutes, locked to thread]:
    main.(*worker).receive(0xc000012345, {0x1, ...})
    \t/src/main.go:19 +0x18 fp=0xc0 sp=0xc0 pc=0x47
    ...23 frames elided...
    created by main.main in goroutine 1
    \t/src/main.go:25 +0x8a

Addresses, arguments and labels (`[...] {key: value}`, since 1.26) are not kept. Frames of the runtime above the first
other frame are left out, as the text form of a goroutine profile does. Lines that other threads or a log put in between
are passed over: a frame is a line with a place, and the line before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from whyheap.model.facts import GoroutineGroup
from whyheap.model.site import Site
from whyheap.parse.go_symbol import split_symbol

MAX_GROUPS = 20_000
MAX_FRAMES = 512
MAX_SITES = 50_000
LONGEST_LINE = 8_192
RUNNING = "running"

_HEADER = re.compile(
    r"goroutine (\d{1,18})(?: gp=\S{1,20} m=\S{1,20}(?: mp=\S{1,20})?)? \[([^\]]{1,200})\](?: \{.{0,4000}\})?:"
)
_PLACE = re.compile(r"\t(.{1,4000}):(\d{1,9})(?: \+0x[0-9a-f]{1,16})?(?: fp=0x\S{1,18} sp=0x\S{1,18} pc=0x\S{1,18})?")
_CREATED = re.compile(r"created by (.{1,4000}?)(?: in goroutine \d{1,18})?")
_ELIDED = re.compile(r"\.\.\.(\d{1,12}) frames elided\.\.\.|\.\.\.additional frames elided\.\.\.")
_ADDED = re.compile(r" \((?:scan|durable|leaked)\)")
_RUNTIME = ("runtime.", "internal/runtime/")
_HIDDEN_BELOW = frozenset({"runtime.main", "runtime.goexit"})
_SYSTEM_STACK = "runtime stack:"


def is_header(line: str) -> bool:
    """Whether a line begins a goroutine's trace."""
    return line.startswith("goroutine ") and _HEADER.fullmatch(line) is not None


class Traces:
    """Goroutines while their lines are read, one after the other."""

    def __init__(self, spell: Callable[[str], str] = str) -> None:
        """`spell` turns files into the contract's spelling."""
        self._spell = spell
        self._sites: dict[tuple[str, str], tuple[Site, bool] | None] = {}
        self._groups: dict[tuple[str, tuple[Site, ...], Site | None], int] = {}
        self._open: _Trace | None = None
        self._before = ""
        self.headers = 0
        self.count = 0
        """Goroutines printed, and those of them that run more than the runtime."""
        self.culprit: tuple[str, tuple[Site, ...]] | None = None
        """Number and stack of the goroutine that ended the process: the first one, when it was running."""
        self.culprit_depth = 0
        self.is_cut = False

    def add(self, line: str) -> bool:
        """Take one line; False when it is none of a trace's."""
        before, self._before = self._before, line
        if len(line) > LONGEST_LINE:
            return False
        header = _HEADER.fullmatch(line) if line.startswith("goroutine ") else None
        if header is not None:
            self._close()
            self._open = _Trace(header[1], _state(header[2]))
            return True
        if line == _SYSTEM_STACK:
            self._close()
            return True
        if line.startswith("\t"):
            return self._place(before, line)
        elided = _ELIDED.fullmatch(line) if line.startswith("...") else None
        if elided is not None and self._open is not None:
            self._open.elided += int(elided[1] or 0)
        return elided is not None or not line or _is_frame(line) or line.startswith("[originating from goroutine ")

    def groups(self) -> tuple[GoroutineGroup, ...]:
        """Return what was read, most goroutines first; those that only the runtime runs are left out."""
        self._close()
        found = [GoroutineGroup(count, *key) for key, count in self._groups.items()]
        return tuple(sorted(found, key=lambda group: -group.count))

    def _place(self, function_line: str, line: str) -> bool:
        key = (function_line if function_line.startswith("created by ") else function_line.rpartition("(")[0], line)
        if key not in self._sites:
            if len(self._sites) >= MAX_SITES:
                self._sites.clear()
            self._sites[key] = self._read_site(*key)
        found = self._sites[key]
        trace = self._open
        if found is None or trace is None or len(trace.frames) >= MAX_FRAMES or trace.created_by is not None:
            return found is not None  # no place, the runtime's own stack, more than is kept, or its ancestors
        site, is_creator = found
        if is_creator:
            trace.created_by = site
        elif site.symbol:
            trace.frames.append(site)
        return True

    def _read_site(self, symbol: str, line: str) -> tuple[Site, bool] | None:
        """Return where a frame is, and whether it created the goroutine; None where the line has no place."""
        match = _PLACE.fullmatch(line)
        if match is None:
            return None
        created = _CREATED.fullmatch(symbol)
        package, function = split_symbol(created[1] if created is not None else symbol)
        return Site(self._spell(match[1]), int(match[2]), 0, function, package), created is not None

    def _close(self) -> None:
        trace, self._open = self._open, None
        if trace is None:
            return
        stack = _shown(trace.frames)
        if self.headers == 0 and trace.state == RUNNING:
            self.culprit, self.culprit_depth = (trace.number, stack), len(stack) + trace.elided
        self.headers += 1
        if not stack or all(_is_runtime(site) for site in stack):
            return
        self.count += 1
        key = (trace.state, stack, trace.created_by)
        if key in self._groups or len(self._groups) < MAX_GROUPS:
            self._groups[key] = self._groups.get(key, 0) + 1
        else:
            self.is_cut = True


class _Trace:
    """One goroutine while its lines are read."""

    def __init__(self, number: str, state: str) -> None:
        self.number = number
        self.state = state
        self.frames: list[Site] = []
        self.created_by: Site | None = None
        self.elided = 0


def _state(text: str) -> str:
    """Cut `chan receive (durable), 5 minutes, locked to thread` to its first part, without (durable)."""
    return _ADDED.sub("", text.partition(",")[0]).strip()


def _shown(frames: list[Site]) -> tuple[Site, ...]:
    """Leave out the runtime's frames above the first other one, and the two below everything."""
    kept = [site for site in frames if site.symbol not in _HIDDEN_BELOW]
    first = next((index for index, site in enumerate(kept) if not _is_runtime(site)), 0)
    return tuple(kept[first:])


def _is_runtime(site: Site) -> bool:
    return site.symbol.startswith(_RUNTIME) or (site.function == "panic" and not site.package)


def _is_frame(line: str) -> bool:
    """Whether a line may be the first of a frame's two."""
    return (line.endswith(")") and "(" in line and " " not in line.partition("(")[0]) or line.startswith("created by ")
