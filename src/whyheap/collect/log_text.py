"""Witness: a log file. What a Go process wrote about its collections and its death, and what the kernel wrote about it.

Read from the end, as far as `host/log_file.py` goes. A line's own time is used where a collector wrote one before it;
else the last line is taken to be as old as the file, and the others follow from the program's own clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from whyheap.collect.runtime_sample import RuntimeSample, RuntimeSeries
from whyheap.errors import FormatError
from whyheap.host.log_file import LogFile
from whyheap.model.event import Event, EventKind
from whyheap.model.gauge import Gap
from whyheap.parse.crash_text import Crash, CrashReader
from whyheap.parse.crash_words import THREADS
from whyheap.parse.gctrace import Collection, begins_collection, parse_collection
from whyheap.parse.log_lines import unwrap_line
from whyheap.parse.oom_log import MATTERS, parse_oom_log
from whyheap.parse.rfc3339 import utc_seconds, utc_text

WITNESS = "log"
MOST_COLLECTIONS = 4_000
MOST_KERNEL_LINES = 4_000
_LEAST_SECONDS = 0.002  # moments are told apart by milliseconds
_BETWEEN_RUNS_SECONDS = 1.0
_USAGE = "memory: usage"  # of a group, in the kernel's words on a kill
_TELLING = frozenset({"in_use", "threads"})


@dataclass(slots=True)
class _Run:
    """One process's collections: their number begins anew when another process writes.

    At most 2 x MOST_COLLECTIONS are kept, evenly: of `kept_every` neighbours the one that began with the largest heap.
    """

    kept_every: int = 1
    last: tuple[str, Collection] | None = None
    crash: Crash | None = None
    _kept: list[tuple[str, Collection]] = field(default_factory=list)
    _neighbours: list[tuple[str, Collection]] = field(default_factory=list)

    def add(self, at: str, one: Collection) -> None:
        self.last = (at, one)
        self._neighbours.append(self.last)
        if len(self._neighbours) < self.kept_every:
            return
        self._kept.append(_largest(self._neighbours))
        self._neighbours = []
        if len(self._kept) >= 2 * MOST_COLLECTIONS:
            self._kept = [_largest(self._kept[index : index + 2]) for index in range(0, len(self._kept), 2)]
            self.kept_every *= 2

    def kept(self) -> list[tuple[str, Collection]]:
        """Return those kept, the last one always."""
        found = [*self._kept, _largest(self._neighbours)] if self._neighbours else self._kept
        return found if self.last is None or found[-1] is self.last else [*found, self.last]


def _largest(timed: list[tuple[str, Collection]]) -> tuple[str, Collection]:
    return max(timed, key=lambda one: one[1].before_bytes)


def read_log(path: Path, spell: Callable[[str], str] = str) -> RuntimeSeries:
    """Read a log file. `spell` turns source files into the contract's spelling.

    Raises:
        TargetError: the file cannot be read.
        FormatError: nothing in it speaks of a Go process's memory or end.
    """
    log = LogFile(path)
    reader = _Reader(spell)
    reader.read(log.lines())
    series = reader.series(log.written)
    if log.skipped_bytes:
        reason = f"{path.name} is large: its first {log.skipped_bytes >> 20} MiB were not read"
        series = replace(series, gaps=(*series.gaps, Gap(WITNESS, reason, "Name a file with the part that matters.")))
    if log.is_cut:
        reason = f"{path.name} was not read to its end: it is damaged, or inflates to too much"
        series = replace(series, gaps=(*series.gaps, Gap(WITNESS, reason, "Inflate it and name the last part.")))
    if not series.samples and not series.events:
        if not path.stat().st_size:
            raise FormatError(f"{path} is empty.", "Name a log in which the process has written something.")
        raise FormatError(
            f"{path} says nothing of a Go process's memory or end.",
            "A log has Go's last words (fatal error: ...), lines of GODEBUG=gctrace=1 or the kernel's OOM lines.",
        )
    return series


def series_from_lines(lines: Iterable[str], written: float, spell: Callable[[str], str] = str) -> RuntimeSeries:
    """Read a log's lines; `written` is when the last one was, in seconds since 1970. Nothing found: an empty series."""
    reader = _Reader(spell)
    reader.read(lines)
    return reader.series(written)


class _Reader:
    """A log while its lines are read."""

    def __init__(self, spell: Callable[[str], str]) -> None:
        self._crashes = CrashReader(spell)
        self._runs: list[_Run] = [_Run()]
        self._noted: Crash | None = None
        self._torn = 0
        self._kernel: deque[tuple[str, str]] = deque(maxlen=MOST_KERNEL_LINES)

    def read(self, lines: Iterable[str]) -> None:
        for line in lines:
            if self._crashes.is_reading or _may_matter(line):
                self._add(*unwrap_line(line))
        self._crashes.end()
        self._note_crash()

    def _add(self, at: str, text: str) -> None:
        one = parse_collection(text)
        if one is not None:
            self._collection(at, one)
        elif "gc " in text and begins_collection(text):
            self._torn += 1
        elif ("ill" in text or _USAGE in text) and MATTERS.search(text):
            self._kernel.append((at, text))
        else:
            self._crashes.add(at, text)
            self._note_crash()

    def series(self, written: float) -> RuntimeSeries:
        """Put all that was read on one clock, which ends at `written` unless the lines have their own times."""
        moments: list[tuple[float, RuntimeSample]] = []
        events: list[Event] = [*self._crashes.events, *parse_oom_log(self._kernel)]
        end = written
        for index, run in reversed(list(enumerate(self._runs))):
            found = _moments(run, end, with_crash=run.last is not None or run is self._runs[-1])
            if run.crash is not None:
                events.append(replace(run.crash, at=run.crash.at or utc_text(found[-1][0] if found else end)).event)
            moments = [*found, *moments]
            end = found[0][0] - _BETWEEN_RUNS_SECONDS if found else end
            if index and run.last is not None:
                text = "another process began to write: its collections are counted anew"
                events.append(Event(EventKind.RESTART, utc_text(found[0][0]), text, WITNESS))
        ordered = sorted(events, key=lambda event: event.at)
        return RuntimeSeries(_on_one_clock(moments), self._gaps(), events=tuple(ordered))

    def _collection(self, at: str, one: Collection) -> None:
        self._crashes.end()  # a process that dies collects no more
        self._note_crash()
        run = self._runs[-1]
        last = run.last[1] if run.last else None
        is_another = last is not None and (one.number <= last.number or one.seconds < last.seconds)
        if is_another or run.crash is not None:
            run = _Run()
            self._runs.append(run)
        run.add(at, one)

    def _note_crash(self) -> None:
        """Let each crash end the process whose lines stand before it."""
        newest = self._crashes.crashes[-1] if self._crashes.crashes else None
        if newest is None or newest is self._noted:
            return
        self._noted = newest
        if self._runs[-1].crash is not None:
            self._runs.append(_Run())
        self._runs[-1].crash = newest

    def _gaps(self) -> tuple[Gap, ...]:
        gaps = []
        if self._torn:
            gaps.append(Gap(WITNESS, f"{self._torn} lines of gctrace were torn apart by other output and left out"))
        kept = max((run.kept_every for run in self._runs), default=1)
        if kept > 1:
            gaps.append(Gap(WITNESS, f"of very many collections one in {kept} was kept, that with the largest heap"))
        if self._crashes.strays and not self._crashes.crashes:
            reason = f"{self._crashes.strays} goroutines are printed, but not why: the words before them are missing"
            gaps.append(Gap(WITNESS, reason, "Name a file that begins before the first goroutine."))
        return tuple(gaps)


def _may_matter(line: str) -> bool:
    """Whether a line may say something, which most lines of most logs do not: quick, and never wrong about those."""
    return (
        " @" in line
        or "fatal error: " in line
        or "panic: " in line
        or "runtime" in line
        or "goroutine " in line
        or "illed" in line
        or "oom" in line
        or "SIG" in line
        or "unexpected fault" in line
        or "Kill process" in line
        or _USAGE in line
    )


def _on_one_clock(moments: list[tuple[float, RuntimeSample]]) -> tuple[RuntimeSample, ...]:
    """Date the moments, each later than the one before, also where a log's own times jump."""
    samples: list[RuntimeSample] = []
    began = latest = 0.0
    for wanted, sample in moments:
        latest = max(wanted, latest + _LEAST_SECONDS, 1.0)
        began = began or latest
        samples.append(replace(sample, at=utc_text(latest), seconds=latest - began))
    return tuple(samples)


def _moments(run: _Run, end: float, *, with_crash: bool) -> list[tuple[float, RuntimeSample]]:
    """Return two moments for each collection, when it began and when it was done, by when they were (s since 1970).

    A crash that says something of memory or goroutines is the last moment.
    """
    kept = run.kept()
    found: list[tuple[float, RuntimeSample]] = []
    offset = _offset(kept, end)
    for _, one in kept:
        began = offset + one.seconds
        if found:
            began = max(began, found[-1][0] + _LEAST_SECONDS)
        common = _common(one)
        before = {"num_gc": one.number - 1.0, "heap_alloc": float(one.before_bytes), "heap_goal": float(one.goal_bytes)}
        marked = float(one.marked_bytes)
        after = {"num_gc": float(one.number), "heap_alloc": marked, "heap_marked": marked}
        found.append((began, RuntimeSample("", 0.0, {**common, **before})))
        done = began + max(one.duration_seconds, _LEAST_SECONDS)
        found.append((done, RuntimeSample("", 0.0, {**common, **after})))
    crash = run.crash
    if crash is None or not with_crash or not (crash.goroutines or crash.labels.keys() & _TELLING):
        return found
    values = {"goroutines": float(crash.count)} if crash.is_whole else {}
    if "in_use" in crash.labels:
        values["heap_sys"] = float(crash.labels["in_use"])
    threads = crash.labels.get("threads") or (crash.labels.get("limit") if crash.labels["about"] == THREADS else None)
    if threads:
        values["threads"] = float(threads)
    said = utc_seconds(crash.at)
    at = end if said is None else said
    if found:
        at = max(at, found[-1][0] + _LEAST_SECONDS)
    return [*found, (at, RuntimeSample("", 0.0, values, crash.goroutines))]


def _common(one: Collection) -> dict[str, float]:
    values = {"gc_cpu": one.gc_cpu}
    if one.stack_bytes is not None and one.globals_bytes is not None:
        values |= {"stack_scan": float(one.stack_bytes), "globals_scan": float(one.globals_bytes)}
    return values


def _offset(kept: list[tuple[str, Collection]], end: float) -> float:
    """Return when the program's clock was zero: by the last line that has a time, else so that the last is at `end`."""
    for at, one in reversed(kept):
        written = utc_seconds(at)
        if written is not None:
            return written - one.seconds - one.duration_seconds
    if not kept:
        return end
    last = kept[-1][1]
    return end - last.seconds - max(last.duration_seconds, _LEAST_SECONDS)
