"""A Go process's last words: why the runtime ended it, and what its goroutines did then.

The words are those of parse/crash_words.py, the traces those of parse/traceback_text.py. What a program says itself in
a panic is not kept: it may be a secret. A file may hold several crashes, between any other lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from whyheap.model.event import Event, EventKind
from whyheap.model.facts import GoroutineGroup
from whyheap.model.site import Site
from whyheap.parse.crash_words import OTHER, about, details, is_runtimes
from whyheap.parse.traceback_text import Traces
from whyheap.units import format_bytes, format_count

WITNESS = "crash output"
MAX_CRASHES = 100

_FATAL = re.compile(r"fatal error: (.{1,300})")
_PANIC = re.compile(r"\t{0,20}panic: (.*)")
_CGO = re.compile(r"runtime/cgo: (pthread_create failed): (.{1,200})")
_LOCKED = re.compile(r"runtime: mmap: (too much locked memory) \(check 'ulimit -l'\)\.")
_SIGNAL = re.compile(r"\[signal (SIG[A-Z0-9]{1,12})\b.{0,200}\]")
_ASKED = re.compile(r"(SIG(?:QUIT|ABRT|SEGV|BUS|ILL|FPE|TRAP|SYS)): [a-z ]{1,40}")
_AT_PC = re.compile(r"PC=0x[0-9a-f]{1,16} m=.{1,80}")
_KILLED = re.compile(r"signal: killed|Killed|.{0,200}: line \d{1,9}: {1,4}\d{1,10} Killed .{0,500}")
_EXIT_STATUS = re.compile(r"exit status (\d{1,3})")
_RUNTIME_ERROR = "runtime error: "
_PATIENCE_LINES = 60
"""So many lines that are none of a crash's end it, or a head that no trace follows."""


@dataclass(frozen=True, slots=True)
class Crash:
    """One death. `at` is RFC 3339 UTC or "", `labels` those of EventKind.CRASH.

    `goroutines` are grouped by equal stack; `count` is how many the runtime printed, its own left out; `is_whole` says
    whether that were all (a panic prints the one that panicked, a fatal error of the runtime all of them).
    """

    at: str
    labels: dict[str, str]
    goroutines: tuple[GoroutineGroup, ...] = ()
    count: int = 0
    is_whole: bool = False
    stack: tuple[Site, ...] = ()

    @property
    def event(self) -> Event:
        """The death as an event."""
        return Event(EventKind.CRASH, self.at, _sentence(self.labels, self.stack), WITNESS, self.labels)


@dataclass(slots=True)
class _Draft:
    at: str
    reason: str
    labels: dict[str, str]
    traces: Traces
    needs_trace: bool = False
    has_trace: bool = False
    patience: int = _PATIENCE_LINES


@dataclass(slots=True)
class CrashReader:
    """Takes a file's lines, one after the other. `spell` turns files into the contract's spelling."""

    spell: Callable[[str], str] = str
    crashes: list[Crash] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    strays: int = 0
    """Goroutines whose crash began before the first line that was read."""
    _draft: _Draft | None = None
    _said: dict[str, str] = field(default_factory=dict)
    _said_lines_ago: int = 0
    _signal: str = ""
    _last_at: str = ""

    def add(self, at: str, line: str) -> bool:
        """Take one line as the program wrote it, and when if known; False when it is none of a crash's."""
        self._last_at = at or self._last_at
        said = details(line)
        if said is not None:
            self._said, self._said_lines_ago = {**self._said, **said}, 0
            return True
        if self._head(line):
            return True
        self._said_lines_ago += 1
        if self._said_lines_ago > _PATIENCE_LINES:
            self._said = {}
        draft = self._draft
        if draft is None:
            self.strays += line.startswith("goroutine ") and line.endswith("]:")
            return self._ended(line)
        return self._body(draft, line)

    @property
    def is_reading(self) -> bool:
        """Whether a crash has begun, so that every line may be one of its."""
        return self._draft is not None or bool(self._said) or bool(self._signal)

    def end(self) -> None:
        """Say that no more lines come."""
        self._close()

    def _head(self, line: str) -> bool:
        if line.startswith("fatal error: "):
            match = _FATAL.match(line)
            if match is not None:
                self._open(match[1].rstrip(), needs_trace=not is_runtimes(match[1]))
                return True
        if "panic: " in line and line.startswith(("panic: ", "\t")) and (match := _PANIC.fullmatch(line)) is not None:
            self._panic(match[1])
            return True
        if line.startswith("runtime"):
            match = _CGO.fullmatch(line)
            if match is not None:
                self._open(match[1], error=match[2])
                return True
            match = _LOCKED.fullmatch(line)
            if match is not None:
                self._open(match[1], error="EAGAIN")
                return True
        return line.startswith(("PC=", "SIG")) and self._signalled(line)

    def _signalled(self, line: str) -> bool:
        """Read `SIGQUIT: quit` and the `PC=` below it, which together begin a dump of all stacks."""
        if _AT_PC.fullmatch(line) and self._signal:
            if self._draft is None or self._draft.has_trace:
                self._open(self._signal, needs_trace=True)
            self._signal = ""
            return True
        asked = _ASKED.fullmatch(line)
        self._signal = asked[1] if asked is not None else ""
        return asked is not None

    def _panic(self, words: str) -> None:
        reason = "panic"
        if words.startswith(_RUNTIME_ERROR):
            reason = f"panic: {words[:200]}"
        draft = self._draft
        if draft is not None and not draft.has_trace and draft.reason.startswith("panic"):
            draft.patience = _PATIENCE_LINES  # a panic while another one unwound: one death
            draft.reason = draft.labels["reason"] = reason if reason != "panic" else draft.reason
            return
        self._open(reason, needs_trace=True)

    def _open(self, reason: str, *, error: str = "", needs_trace: bool = False) -> None:
        draft = self._draft
        if draft is not None and not draft.has_trace and (draft.reason == reason or about(draft.reason) != OTHER):
            return  # two threads that died of the same, or abort after a fatal error
        self._close()
        labels = {"reason": reason, "about": about(reason), **self._said}
        if error:
            labels["error"] = error
        elif reason == "runtime: out of memory":
            labels["error"] = "ENOMEM"
        self._said = {}
        self._draft = _Draft(self._last_at, reason, labels, Traces(self.spell), needs_trace)

    def _body(self, draft: _Draft, line: str) -> bool:
        signal = _SIGNAL.fullmatch(line) if line.startswith("[signal ") else None
        if signal is not None:
            draft.labels["signal"] = signal[1]
            return True
        if self._ended(line):
            self._close()
            return True
        is_trace = draft.traces.add(line)
        if is_trace and line:
            draft.has_trace = draft.has_trace or line.startswith(("goroutine ", "runtime stack:"))
            draft.patience = _PATIENCE_LINES
            return True
        draft.patience -= bool(line)
        if draft.patience <= 0:
            self._close()
        return False

    def _ended(self, line: str) -> bool:
        """Whether a shell or `go run` says how the process ended; a kill is an event of its own."""
        if line.startswith("exit status ") and _EXIT_STATUS.fullmatch(line):
            return True
        if "illed" not in line or not _KILLED.fullmatch(line):
            return False
        text = "the process was killed by SIGKILL, which leaves no words"
        labels = {"signal": "9", "known": "yes"}
        if len(self.events) < MAX_CRASHES:
            self.events.append(Event(EventKind.EXIT, self._last_at, text, WITNESS, labels))
        return True

    def _close(self) -> None:
        draft, self._draft = self._draft, None
        if draft is None or (draft.needs_trace and not draft.has_trace):
            return
        groups = draft.traces.groups()
        stack: tuple[Site, ...] = ()
        if draft.traces.culprit is not None:
            draft.labels["goroutine"], stack = draft.traces.culprit
        if stack:
            draft.labels |= {"function": stack[0].symbol, "place": str(stack[0].position)}
            draft.labels["depth"] = str(draft.traces.culprit_depth)
        is_whole = draft.traces.headers > 1 and not draft.traces.is_cut
        self.crashes.append(Crash(draft.at, draft.labels, groups, draft.traces.count, is_whole, stack))
        del self.crashes[:-MAX_CRASHES]


def _sentence(labels: dict[str, str], stack: tuple[Site, ...]) -> str:
    reason = labels["reason"]
    if reason.startswith("panic"):
        said = f"the process ended with a {reason}" if reason != "panic" else "the process ended with a panic"
    elif reason.startswith("SIG"):
        said = f"the process ended with its stacks printed, on {reason}"
    else:
        said = f'the process ended with "{reason}"'
    return f"{said}{_measured(labels)}{_where(stack)}"


def _measured(labels: dict[str, str]) -> str:
    kind = labels["about"]
    if kind == "stack" and "limit" in labels:
        return f": a goroutine's stack reached its limit of {format_bytes(int(labels['limit']))}"
    if "in_use" in labels:
        asked, used = format_bytes(int(labels["asked"])), format_bytes(int(labels["in_use"]))
        return f": {asked} more could not be had for the heap, which had {used}"
    if kind == "threads" and "threads" in labels:
        return f": a thread could not be started ({labels['error']}), there were {format_count(int(labels['threads']))}"
    if kind == "threads" and "limit" in labels:
        return f": it had {format_count(int(labels['limit']))} threads, which is its limit"
    return f" ({labels['signal']})" if "signal" in labels else ""


def _where(stack: tuple[Site, ...]) -> str:
    return f", in {stack[0].symbol} ({stack[0].position})" if stack else ""
