"""From a Capture to a Report: join, judge, rank. Needs neither Go nor the target."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from whyheap.app.focus import focused
from whyheap.app.judged_profiles import judged_profiles
from whyheap.app.judged_stretch import accounts, events_of, judged_stretch, span_of
from whyheap.app.scan_report import count_packages, go_numbers, title
from whyheap.capture import Capture
from whyheap.causes.catalogue import Judgement
from whyheap.causes.catalogue import judge as judge_causes
from whyheap.causes.history import LineGrowth, RuntimeHistory
from whyheap.collect.runtime_sample import samples_from_gauges
from whyheap.collect.sources import SourceFiles
from whyheap.escape_graph import EscapeGraph, Hanging, hang
from whyheap.goruntime.constant_size import constant_size
from whyheap.goruntime.std_goroutines import STARTED_BY
from whyheap.host.repository import folder_in_repository
from whyheap.join import Joined, join
from whyheap.join.flame import flame
from whyheap.join.frames import OwnCode, own_code
from whyheap.join.profile_window import profile_window
from whyheap.model.account import MemoryAccount
from whyheap.model.evidence import Evidence
from whyheap.model.facts import GoroutineGroup
from whyheap.model.finding import Finding
from whyheap.model.gauge import Gap
from whyheap.model.measure import Measure
from whyheap.model.profile import HeapProfile
from whyheap.model.report import EntryPoint, Report, Totals
from whyheap.model.root import Root
from whyheap.model.site import Site
from whyheap.model.verdict import Verdict
from whyheap.parse.profile_math import subtract
from whyheap.patterns.compiler_reason import NAME_PACKAGES
from whyheap.patterns.context import Context
from whyheap.patterns.judge import judge as judge_patterns
from whyheap.units import format_duration

_SHOWN_ENTRY_POINTS = 50
_QUOTED_FINDINGS = 500
_FOREIGN_SHARE = 0.5
_LEAST_LONGER_SECONDS = 30
_ROUNDED_UP = (
    1.2  # a block of 128 bytes or more is at most a fifth larger than what is in it: src/runtime/sizeclasses.go
)


@dataclass(frozen=True, slots=True)
class View:
    """What part of the answer to show; what is concluded does not depend on it."""

    focus: re.Pattern[str] | None = None
    keep_sources: bool = True
    with_flame: bool = True


@dataclass(frozen=True, slots=True)
class Analysis:
    """The report, the profile behind it, and the sources that were read for it."""

    report: Report
    profile: HeapProfile | None
    sources: Mapping[str, str]
    evidence: tuple[Evidence, ...]


def analyse(capture: Capture, view: View, files: SourceFiles | None = None) -> Analysis:
    """Conclude. Raises FormatError when a profile in the capture is damaged.

    `files` are the sources of a scan made in this run. Without them only the sources in the capture are known: a
    capture may name any file of this machine, so none is opened on its word.
    """
    scan = capture.scan
    sources: Mapping[str, str] = files if files is not None else capture.sources
    goroutines = respelled(capture)
    whole = samples_from_gauges(capture.gauges, goroutines)
    samples = judged_stretch(whole, capture.events)
    profiles, damaged = judged_profiles(capture, span_of(samples, whole), alone=not whole and scan is None)
    profile = _windowed(profiles)
    starters = _starters(goroutines, own_code(scan))
    joined = join(scan, profile, sources, starters=starters)
    context = Context(go_numbers(scan.go) if scan else (0, 0), sources)
    ranked = _ranked(judge_patterns(joined.evidence, context), joined.profile)
    if scan is None:
        ranked = [_asking_for_packages(finding, capture) for finding in ranked]
    hanging = hang(ranked, EscapeGraph(scan, sources)) if scan is not None else Hanging(ranked, (), frozenset())
    ranked = hanging.findings
    is_window = len(profiles) > 1 and bool(capture.gauges)
    before = join(scan, profiles[0], sources, starters=starters) if is_window else None
    events = events_of(samples, whole, capture.events)
    covered = profile_window(profiles[0], profiles[-1], samples) if len(profiles) > 1 else None
    timeline = accounts(samples)
    account = timeline[-1] if timeline else None
    history = RuntimeHistory(
        samples,
        _growth(before, joined, hanging),
        capture.limit_name,
        ranked,
        events=events,
        account=account,
        pid=capture.pid,
    )
    judgement = judge_causes(history) if samples or events else Judgement(None, ())
    verdict = judgement.verdict
    entry_points, shown = joined.entry_points, ranked
    if view.focus is not None:
        part = join(scan, profile, sources, view.focus, starters) if profile is not None else joined
        entry_points = part.entry_points
        shown = _ranked(focused(ranked, part.evidence, view.focus), joined.profile)
    report = Report(
        targets=capture.targets,
        go=scan.go if scan else "",
        verdict=verdict,
        findings=tuple(shown),
        entry_points=_entries(entry_points),
        gauges=capture.gauges,
        gaps=(
            *capture.gaps,
            *(scan.gaps if scan else ()),
            *judgement.gaps,
            *damaged,
            *_gaps(capture, joined),
            *_rate_gaps(capture, joined, covered, judgement.gaps),
        ),
        totals=replace(
            _totals(capture, joined, ranked, account, by_use=is_about_memory_kept(capture, verdict)),
            alloc_window_seconds=covered if capture.window_seconds is not None else None,
            heap_sites=sum(1 for finding in shown if finding.facts or finding.calls),
        ),
        flame=flame(scan, profile, _patterns_by_line(ranked), view.focus) if profile and view.with_flame else None,
        sources=_quoted(shown[:_QUOTED_FINDINGS], sources) if view.keep_sources else {},
        title=title(scan) if scan else "",
        roots=hanging.under(shown),
        events=capture.events,
        account=account,
        timeline=timeline,
        in_repository=folder_in_repository(Path(scan.root)) if scan else "",
    )
    read = files.read if files is not None else capture.sources
    return Analysis(report, profile, read if view.keep_sources else {}, joined.evidence)


def _quoted(findings: Iterable[Finding], sources: Mapping[str, str]) -> dict[str, str]:
    """Return the text of the files that findings stand in."""
    files = dict.fromkeys(finding.site.file for finding in findings)
    return {file: text for file in files if (text := sources.get(file)) is not None}


def _windowed(profiles: list[HeapProfile]) -> HeapProfile | None:
    """The newest profile; with an older one its alloc_* are those of the window, unless the process restarted."""
    if not profiles:
        return None
    if len(profiles) == 1 or _total(profiles[-1]) < _total(profiles[0]):
        return profiles[-1]
    return subtract(profiles[-1], profiles[0])


def _total(profile: HeapProfile) -> int:
    return int(sum(profile.values.get("alloc_space", ())))


def _ranked(findings: Iterable[Finding], whole: Measure | None) -> list[Finding]:
    """Order by the larger of the two shares, of memory in use and of allocation; static findings by place.

    Values of one line that share its bytes are in order of their size, where that is known.
    """
    inuse = max(whole.inuse_bytes, 1) if whole else 1
    alloc = max(whole.alloc_bytes, 1) if whole else 1

    def weight(finding: Finding) -> float:
        measure = finding.measure or Measure()
        return max(measure.inuse_bytes / inuse, measure.alloc_bytes / alloc)

    return sorted(
        findings,
        key=lambda finding: (-weight(finding), -_size_above_mean(finding), finding.site, finding.pattern, finding.id),
    )


def _size_above_mean(finding: Finding) -> int:
    """Return the constant size of a value that is as large as the mean of its line's objects, 0 for others.

    Of several values that share their line's bytes it is the one that has most of them: those of small ones are rarely
    sampled, if at all.
    """
    measure = finding.measure
    if not finding.shared_with or measure is None:
        return 0
    size = constant_size(finding.subject)
    columns = ((measure.inuse_bytes, measure.inuse_objects), (measure.alloc_bytes, measure.alloc_objects))
    held, objects = next((column for column in columns if column[1] > 0), (0, 0))
    return size if objects and size * objects * _ROUNDED_UP >= held else 0


def _starters(goroutines: Mapping[str, tuple[GoroutineGroup, ...]], own: OwnCode) -> dict[str, Site]:
    """The user's line behind each goroutine that std starts, told from where goroutines wait now.

    A program with two servers has two such lines: which of them a connection belongs to is not known, so none is named.
    """
    callers: dict[str, set[Site | None]] = {}  # None: a server that no line of the user's waits for
    for groups in goroutines.values():
        for group in groups:
            symbols = [site.symbol for site in group.stack]
            for starter in set(STARTED_BY.values()) & set(symbols):
                above = group.stack[symbols.index(starter) + 1 :]
                user = next((site for site in above if own.frame(site.symbol, site.file, site.line).is_own), None)
                callers.setdefault(starter, set()).add(user)
    only = {starter: next(iter(users)) for starter, users in callers.items() if len(users) == 1}
    return {root: site for root, starter in STARTED_BY.items() if (site := only.get(starter)) is not None}


def respelled(capture: Capture) -> dict[str, tuple[GoroutineGroup, ...]]:
    """Spell the frames of goroutines as the scan spells them, as it was not known yet when they were read."""
    own = own_code(capture.scan)
    sites: dict[Site, Site] = {}

    def spell(site: Site) -> Site:
        known = sites.get(site)
        if known is None:
            known = sites[site] = own.frame(site.symbol, site.file, site.line).site
        return known

    return {
        at: tuple(
            replace(
                group,
                stack=tuple(spell(site) for site in group.stack),
                created_by=spell(group.created_by) if group.created_by else None,
            )
            for group in groups
        )
        for at, groups in capture.goroutines.items()
    }


def _growth(before: Joined | None, joined: Joined, hanging: Hanging) -> tuple[LineGrowth, ...]:
    """Bytes in use per line of the user's code, at the window's start and end; both joined in the same way."""
    if before is None:
        return ()
    held = {(one.site.file, one.site.line): one.measure.inuse_bytes for one in before.evidence}
    leads: dict[tuple[str, int], Finding] = {}
    for finding in hanging.findings:
        leads.setdefault((finding.site.file, finding.site.line), finding)
    by_id = {root.id: root for root in hanging.roots}
    roots: dict[tuple[str, int], Root] = {}
    for finding in hanging.findings:
        if finding.root in by_id:
            roots.setdefault((finding.site.file, finding.site.line), by_id[finding.root])
    growth = []
    for evidence in joined.evidence:
        after = evidence.measure.inuse_bytes
        earlier = held.get((evidence.site.file, evidence.site.line), 0)
        if not after and not earlier:
            continue
        lead = leads.get((evidence.site.file, evidence.site.line))
        growth.append(
            LineGrowth(
                evidence.site,
                earlier,
                after,
                lead.pattern if lead else "",
                lead.message if lead else "",
                roots.get((evidence.site.file, evidence.site.line)),
                evidence.measure.alloc_bytes,
                evidence.measure.inuse_objects,
                evidence.callees,
            )
        )
    return tuple(sorted(growth, key=lambda line: (-line.after_bytes, line.site)))


def _patterns_by_line(findings: Iterable[Finding]) -> dict[tuple[str, int], str]:
    patterns: dict[tuple[str, int], str] = {}
    for finding in findings:
        patterns.setdefault((finding.site.file, finding.site.line), finding.pattern)
    return patterns


def _entries(entries: Iterable[EntryPoint]) -> tuple[EntryPoint, ...]:
    return tuple(entries)[:_SHOWN_ENTRY_POINTS]


def is_about_memory_kept(capture: Capture, verdict: Verdict | None) -> bool:
    """Whether what is in use matters more than what is allocated: something grows, or there is one moment only."""
    return capture.window_seconds is None or (verdict is not None and bool(verdict.causes))


def _totals(
    capture: Capture, joined: Joined, findings: list[Finding], account: MemoryAccount | None, *, by_use: bool
) -> Totals:
    lines = {(finding.site.file, finding.site.line) for finding in findings}
    explained = Measure()
    for evidence in joined.evidence:
        if evidence.measure and (evidence.site.file, evidence.site.line) in lines:
            explained += evidence.measure
    rss = next((gauge.value for gauge in reversed(capture.gauges) if gauge.name == "rss"), None)
    return Totals(
        packages=count_packages(capture.scan) if capture.scan else 0,
        profile=joined.profile,
        explained=explained if joined.profile is not None else None,
        ranked_by="inuse" if by_use else "alloc",
        rss_bytes=account.rss_bytes if account else int(rss) if rss is not None else None,
        rss_explained_bytes=account.rss_explained_bytes if account else None,
        window_seconds=capture.window_seconds,
    )


def _gaps(capture: Capture, joined: Joined) -> Iterable[Gap]:
    whole = joined.profile
    if whole is not None and capture.scan is not None and whole.alloc_bytes:
        share = joined.attributed.alloc_bytes / whole.alloc_bytes
        if share < _FOREIGN_SHARE:
            top = ", ".join(f"{other.callee} ({other.leaf})" for other in joined.unattributed[:2])
            yield Gap(
                "join",
                f"only {share:.0%} of the allocated bytes have a frame of "
                + (capture.scan.module or "the scanned packages")
                + (f"; most of the others are in {top}" if top else ""),
                "Name the packages that the service was built from, or its dependencies' packages as well",
            )
    if joined.is_same_build is False and capture.scan is not None:
        yield Gap(
            "machine code",
            f"the profile is not of {capture.scan.binary}: its bytes are not told apart by the calls that made them",
            "Name the program that runs:  --binary FILE",
        )
    if whole is not None and capture.scan is None:
        yield Gap(
            "compiler",
            "no source was scanned: the reasons are not known",
            f"Name the packages too:  {_with_packages(capture)}",
        )


def _with_packages(capture: Capture) -> str:
    return f"whyheap why ./... {shlex.join(capture.targets) or 'URL'}"


def _asking_for_packages(finding: Finding, capture: Capture) -> Finding:
    """Put what was looked at into the command that would tell more."""
    if NAME_PACKAGES not in finding.fixes:
        return finding
    title = NAME_PACKAGES.title.replace("whyheap why ./... TARGET", _with_packages(capture))
    return replace(finding, fixes=(replace(NAME_PACKAGES, title=title),))


def _rate_gaps(capture: Capture, joined: Joined, covered: float | None, told: Iterable[Gap]) -> Iterable[Gap]:
    """Say what rates of allocation lack; `covered` is `Totals.alloc_window_seconds`, `told` what growth lacks."""
    if capture.window_seconds is None or joined.profile is None or covered:
        return
    longer = max(_LEAST_LONGER_SECONDS, -(-int(5 * capture.window_seconds) // 10) * 10)
    is_told = any("--seconds" in gap.hint for gap in told)  # and for how long
    hint = "" if is_told else f"Watch longer:  --seconds {longer}"
    if not joined.profile.alloc_bytes:
        window = format_duration(capture.window_seconds)
        yield Gap("profile", f"no collection within {window} has shown yet what was allocated", hint)
    else:
        yield Gap(
            "profile",
            "rates of allocation are at least those shown: a profile lags one or two collections, and when those ended "
            "is not known",
            hint,
        )
