"""The job of `whyheap diff A B`: what grew between two captures, profiles or services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from whyheap.app.analyse import View, analyse
from whyheap.app.gather import WhyRequest, gather
from whyheap.app.targets import TargetKind, recognise
from whyheap.capture import Capture
from whyheap.errors import UsageError
from whyheap.host.http import Access
from whyheap.join.frames import own_code
from whyheap.model.capture_diff import CaptureDiff, Difference, GoroutineDifference, LineDifference
from whyheap.model.gauge import Gap, Gauge
from whyheap.model.gauge_units import UNITS
from whyheap.model.measure import Measure
from whyheap.model.report import Report
from whyheap.model.site import Site

_TITLES: Mapping[str, str] = {
    "rss": "resident memory",
    "container_charge": "charged to the group",
    "container_limit": "the group's limit",
    "heap_marked": "live heap at the last mark",
    "heap_alloc": "heap objects, garbage included",
    "heap_goal": "heap goal",
    "stack_inuse": "goroutine stacks",
    "heap_objects": "number of heap objects",
    "goroutines": "goroutines",
    "threads": "threads",
    "num_gc": "collections since the start",
    "gc_cpu": "the collector's share of CPU",
}
"""The numbers that are compared, in this order."""
_READABLE = frozenset({TargetKind.CAPTURE, TargetKind.PROFILE, TargetKind.URL, TargetKind.PID})
_EXAMPLE = "For example:  whyheap diff before.whyheap after.whyheap"


@dataclass(frozen=True, slots=True)
class _Side:
    """One capture with what was concluded from it."""

    capture: Capture
    report: Report
    lines: Mapping[tuple[str, str, int], tuple[Site, Measure]]


def diff_captures(
    old: str, new: str, folder: Path, access: Access, progress: Callable[[str], None] = lambda _: None
) -> CaptureDiff:
    """Compare two captures, heap profiles, services or processes. Raises UsageError, TargetError, FormatError."""
    for text in (old, new):
        if recognise(text).kind not in _READABLE:
            raise UsageError(f"{text} is neither capture, heap profile, service nor process", _EXAMPLE)
    before, after = (_side(text, folder, access, progress) for text in (old, new))
    gaps = list(dict.fromkeys((*before.capture.gaps, *after.capture.gaps)))
    if before.report.totals.profile is None or after.report.totals.profile is None:
        reason = "one side has no heap profile, so lines are not compared"
        gaps.append(Gap("profile", reason, "Record a service with net/http/pprof, or one that links it."))
    pids = (before.capture.pid, after.capture.pid)
    if None not in pids and pids[0] != pids[1]:
        gaps.append(Gap("recorder", f"these are two processes, pid {pids[0]} and pid {pids[1]}", ""))
    return CaptureDiff(
        (old, new),
        (_moment(before.capture), _moment(after.capture)),
        after.report.title or before.report.title,
        _lines(before, after),
        _parts(before.report, after.report),
        _numbers(before.capture.gauges, after.capture.gauges),
        _goroutines(before.capture, after.capture),
        (before.report.totals.profile, after.report.totals.profile),
        tuple(gaps),
    )


def _side(text: str, folder: Path, access: Access, progress: Callable[[str], None]) -> _Side:
    gathered = gather(WhyRequest((text,), folder, seconds=0.0, access=access), progress)
    newest = gathered.capture.profiles[-1:]  # the end of a recording is what is compared
    analysis = analyse(replace(gathered.capture, profiles=newest, window_seconds=None), View(with_flame=False))
    lines = {
        (one.site.package, one.site.function, one.site.line): (one.site, one.measure)
        for one in analysis.evidence
        if one.measure
    }
    return _Side(gathered.capture, analysis.report, lines)


def _moment(capture: Capture) -> str:
    return max((gauge.at for gauge in capture.gauges), default=capture.at)


def _lines(before: _Side, after: _Side) -> tuple[LineDifference, ...]:
    """Return each line that either profile holds bytes at, by what it gained, most first."""
    if before.report.totals.profile is None or after.report.totals.profile is None:
        return ()
    reasons = {
        (finding.site.package, finding.site.function, finding.site.line): finding.message
        for finding in (*after.report.findings, *before.report.findings)
        if finding.facts
    }
    found = []
    for key in {*before.lines, *after.lines}:
        site = (after.lines.get(key) or before.lines[key])[0]
        old, new = (side.lines[key][1] if key in side.lines else Measure() for side in (before, after))
        found.append(LineDifference(site, old, new, reasons.get(key, "")))
    return tuple(sorted(found, key=lambda line: (-line.grown_bytes, line.site)))


def _parts(before: Report, after: Report) -> tuple[Difference, ...]:
    if before.account is None or after.account is None:
        return ()
    old, new = ({part.slug: part for part in side.account.parts} for side in (before, after) if side.account)
    slugs = dict.fromkeys((*(part.slug for part in after.account.parts), *old))
    found = [
        Difference(
            slug,
            (new.get(slug) or old[slug]).title,
            "bytes",
            float(old[slug].bytes) if slug in old else None,
            float(new[slug].bytes) if slug in new else None,
        )
        for slug in slugs
    ]
    found.append(
        Difference(
            "unexplained",
            "unexplained",
            "bytes",
            float(before.account.unexplained_bytes),
            float(after.account.unexplained_bytes),
        )
    )
    return tuple(found)


def _numbers(before: Iterable[Gauge], after: Iterable[Gauge]) -> tuple[Difference, ...]:
    old, new = ({gauge.name: gauge.value for gauge in side} for side in (before, after))
    return tuple(
        Difference(name, title, UNITS[name], old.get(name), new.get(name))
        for name, title in _TITLES.items()
        if name in old or name in new
    )


def _goroutines(before: Capture, after: Capture) -> tuple[GoroutineDifference, ...]:
    """Return goroutines by the user's line that they stand at, those that became more first."""
    old, new = _standing(before), _standing(after)
    found = [GoroutineDifference(site, state, old.get((site, state), 0), count) for (site, state), count in new.items()]
    gone = {place: count for place, count in old.items() if place not in new}
    found += [GoroutineDifference(site, state, count, 0) for (site, state), count in gone.items()]
    return tuple(sorted(found, key=lambda one: (one.before - one.after, one.site, one.state)))


def _standing(capture: Capture) -> dict[tuple[Site, str], int]:
    moments = sorted(at for at, groups in capture.goroutines.items() if groups)
    own = own_code(capture.scan)
    counts: dict[tuple[Site, str], int] = {}
    for group in capture.goroutines[moments[-1]] if moments else ():
        frames = [own.frame(site.symbol, site.file, site.line) for site in group.stack]
        if frames:
            place = next((frame for frame in frames if frame.is_own), frames[-1]).site, group.state
            counts[place] = counts.get(place, 0) + group.count
    return counts
