"""Unbounded cache: a map, slice or sync.Map at package level that only gains entries.

What it is: A variable of the package lives as long as the program, and so does all that is put into it. A cache without
a bound, a registry without removal, a list "for the admin page": with each new key it holds more. A map keeps its
tables even when entries are deleted.

How to tell: The live heap after each collection rises, and the line that grows stores into a package-level map or
slice, by the compiler's word, or allocates in a sync.Map's Store.

What tells it apart: It is the case of live-heap-growth where one root is known to keep the values; where the source was
not scanned, or a local structure keeps them, that one is named. Keys that are all different (a URL with its query, a
request's number, a time) make a cache of what should be a lookup.

What to do: Bound it: a largest number of entries with the oldest going first, an age, or entries that are deleted when
their subject ends. Key it by what repeats. To give a map's tables back, make a new one and copy what is still wanted.

When to leave it: The set of keys is finite and known, and all of it with the collector's headroom (twice under
GOGC=100) fits the limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from whyheap.causes.cause import Cause
from whyheap.causes.forecast import forecast_limit
from whyheap.causes.goroutine_piles import enclosing
from whyheap.causes.growing_lines import (
    bought_time,
    grown_size,
    growth_summary,
    line_statement,
    live_statement,
    matters,
    setting_statements,
    share_of_live,
    shown,
    unclaimed,
)
from whyheap.causes.history import LineGrowth, RuntimeHistory
from whyheap.causes.trend import Trend
from whyheap.model.finding import Certainty, Finding
from whyheap.model.root import RootKind
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes

CAUSE = Cause("unbounded-cache", "A package-level cache only grows", __doc__)

LONGEST_EXPRESSION = 400
"""Characters of an expression that is looked at."""

_HEAP = "{heap}"
_ASSIGNED = re.compile(r"([^\W\d]\w*) = ")
_INDEXED = re.compile(r"([^\W\d]\w*)\[")
_APPENDED = re.compile(r"(?:[^\W\d]\w* = )?append\(([^\W\d]\w*), ")
_SYNC_MAP = re.compile(r"sync\.\(\*(?:Map|HashTrieMap\[[^()]*\])\)\.(?:Store|Swap|LoadOrStore|CompareAndSwap)\b")
"""Written to a sync.Map: sync/map.go until Go 1.23, internal/sync/hashtriemap.go from 1.24."""
_ELSEWHERE = frozenset({RootKind.CALLEE, RootKind.SEND, RootKind.STARTED})


@dataclass(frozen=True, slots=True)
class _Container:
    """What keeps values. `said` is who vouches: the compiler for a line's own store, we for one of its function."""

    kind: str  # "map", "slice", "sync.Map"
    name: str
    said: Certainty

    @property
    def words(self) -> str:
        """As it stands in a sentence."""
        return f"the package-level {self.kind} {self.name}" if self.name else f"a {self.kind}"


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:
    """Name the cause when lines that grow store into a package-level container or a sync.Map."""
    trend = history.live_trend
    kept = _kept(history, unclaimed(history, taken))
    if trend is None or not matters(history, kept):
        return None
    lines = shown(history, kept)
    if not lines:
        return None
    size = grown_size(history, trend, list(kept))
    container = kept[lines[0]]
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED if container.said is not Certainty.INFERRED else Certainty.INFERRED,
        size,
        share_of_live(history, size),
        growth_summary(history, trend, f"{container.words} holds {format_bytes(size)} and grows; live heap grows"),
        tuple(_evidence(history, trend, lines, kept)),
        tuple(_advice(history, trend, lines[0], container)),
    )


def _kept(history: RuntimeHistory, lines: Sequence[LineGrowth]) -> dict[LineGrowth, _Container]:
    """Return which container keeps each line's values; a line without a word of its own follows its function."""
    names = _package_variables(history)
    stores = _stores(history, names)
    kept: dict[LineGrowth, _Container] = {}
    for line in lines:
        own = stores.get((line.site.file, line.site.line)) or _sync_map(line)
        if own is not None:
            kept[line] = own
    by_function: dict[tuple[str, str], _Container] = {}
    for line, container in kept.items():
        by_function.setdefault((line.site.package, enclosing(line.site.function)), container)
    for finding in history.findings:
        store = stores.get((finding.site.file, finding.site.line))
        if store is not None:
            by_function.setdefault((finding.site.package, enclosing(finding.site.function)), store)
    for line in lines:
        known = by_function.get((line.site.package, enclosing(line.site.function)))
        elsewhere = line.root is not None and line.root.kind in _ELSEWHERE
        if line not in kept and known is not None and not elsewhere:
            kept[line] = _Container(known.kind, known.name, Certainty.INFERRED)
    return kept


def _package_variables(history: RuntimeHistory) -> set[tuple[str, str]]:
    """Return (package, name) of package-level variables: only those reach {heap} under a bare name."""
    names = set()
    for finding in history.findings:
        for expression, reason in _last_steps(finding):
            assigned = _ASSIGNED.match(expression) if reason == "assign" else None
            if assigned is not None:
                names.add((finding.site.package, assigned[1]))
    return names


def _last_steps(finding: Finding) -> Iterator[tuple[str, str]]:
    """Yield the expression and reason by which a value reaches the heap."""
    for fact in finding.facts:
        if fact.flow and fact.flow[-1].to == _HEAP and fact.flow[-1].steps:
            step = fact.flow[-1].steps[-1]
            yield step.expr, step.reason


def _stores(history: RuntimeHistory, names: set[tuple[str, str]]) -> dict[tuple[str, int], _Container]:
    """Return the lines that store into a package-level map or slice, or in a sync.Map, by file and line."""
    found: dict[tuple[str, int], _Container] = {}
    for finding in history.findings:
        place = (finding.site.file, finding.site.line)
        for text in (*(expression for expression, _ in _last_steps(finding)), finding.subject):
            if _SYNC_MAP.search(text[:LONGEST_EXPRESSION]):
                found.setdefault(place, _Container("sync.Map", "", Certainty.STATED))
            for kind, form in (("slice", _APPENDED), ("map", _INDEXED)):
                stored = form.match(text)
                if stored is None or (finding.site.package, stored[1]) not in names:
                    continue
                if kind == "slice" or finding.pattern == "map-storage":
                    found.setdefault(place, _Container(kind, stored[1], Certainty.STATED))
    return found


def _sync_map(line: LineGrowth) -> _Container | None:
    """Return the sync.Map that a line stores in, as the profile tells it."""
    by_root = line.root is not None and _SYNC_MAP.search(line.root.title[:LONGEST_EXPRESSION])
    if by_root or any(
        _SYNC_MAP.search(one.callee[:LONGEST_EXPRESSION]) and one.measure.inuse_bytes for one in line.callees
    ):
        return _Container("sync.Map", "", Certainty.STATED if by_root else Certainty.MEASURED)
    return None


def _evidence(
    history: RuntimeHistory, trend: Trend, lines: Sequence[LineGrowth], kept: dict[LineGrowth, _Container]
) -> list[Statement]:
    statements = [live_statement(history, trend)]
    for line in lines:
        container = kept[line]
        statements.append(line_statement(history, line))
        text = f"it is stored in {container.words}"
        if container.said is Certainty.INFERRED:
            text = f"{line.site.function}, which allocates it, stores into {container.words}"
        statements.append(Statement(text, container.said, line.site))
    return [*statements, *setting_statements(history)]


def _advice(history: RuntimeHistory, trend: Trend, line: LineGrowth, container: _Container) -> list[str]:
    name = container.name or f"the {container.kind}"
    way = "cut it to a length" if container.kind == "slice" else "limit its entries, or delete them when they end"
    advice = [f"{line.place}: bound {name}: {way}; all that is put in stays"]
    if line.objects and container.name and len({one.leaf for one in line.callees}) <= 1:  # one object for an entry
        each = line.after_bytes / line.objects
        limit, live = history.limit, history.live.bytes or 0.0
        room = 0.0
        if limit is not None:
            room = history.heap_room_bytes / (1 + history.pacing.ratio) - max(live - line.after_bytes, 0.0)
        if room >= each >= 1:
            about = int(room / each)
            digits = max(len(str(about)) - 2, 0)
            advice.append(
                f"about {about // 10**digits * 10**digits:,} entries of {format_bytes(each)} fit the limit, "
                "with the collector's headroom; beyond that they take the room that garbage needs"
            )
    return [*advice, *bought_time(history, trend, forecast_limit(history, trend.slope))]
