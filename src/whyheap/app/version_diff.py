"""The job of `whyheap diff --go A --go B`: which lines start or stop allocating with a Go upgrade."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from whyheap.app.scan_report import count_packages, go_numbers, title
from whyheap.app.targets import TargetKind, recognise
from whyheap.collect.compiler import Progress, ScanOptions, compile_packages
from whyheap.collect.profile import collect_profile
from whyheap.collect.sources import SourceFiles
from whyheap.errors import TargetError, UsageError
from whyheap.host.go import GoTool
from whyheap.host.http import Access
from whyheap.join import Joined, join
from whyheap.join.callees import Callees
from whyheap.model.evidence import Agreement
from whyheap.model.facts import AllocatorCall, CallPath
from whyheap.model.finding import Finding
from whyheap.model.gauge import Gap
from whyheap.model.machine_code import Allocates, FunctionCode
from whyheap.model.measure import Measure
from whyheap.model.profile import HeapProfile
from whyheap.model.scan import Scan
from whyheap.model.version_diff import Change, LineChange, VersionDiff, calls_of_one_copy
from whyheap.parse.pprof import parse_profile
from whyheap.patterns.context import Context
from whyheap.patterns.judge import judge

_ON_STACK_FIRST, _CERTAIN = 1, 3
_STRENGTH = {Agreement.NEVER_ALLOCATES: 0, Agreement.MAY_ALLOCATE: 2}
_SMALL = frozenset({"bool", "int", "uint", "uintptr", "float32", "float64", "string", "error"}) | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
_EACH_TIME = frozenset({CallPath.ALWAYS, CallPath.LOOP})
_Lines = dict[tuple[str, int], list[Finding]]


@dataclass(frozen=True, slots=True)
class _Side:
    """The same source under one version of Go."""

    scan: Scan
    joined: Joined
    lines: _Lines
    codes: Mapping[str, FunctionCode]
    callees: Callees


def diff_versions(
    tools: Sequence[GoTool],
    options: ScanOptions,
    profile: str = "",
    access: Access | None = None,
    progress: Progress = lambda _: None,
) -> tuple[VersionDiff, TargetError | None]:
    """Scan with both go commands, old one first, and compare; also returns the error of packages that do not build.

    `profile` is a heap profile (file or URL) of the program built with the old one.
    """
    measured = _profile(profile, access or Access()) if profile else None
    old, new = (_side(tool, options, measured if first else None, progress) for first, tool in _first(tools))
    versions = (old[0].scan.go, new[0].scan.go)
    if versions[0] == versions[1]:
        raise UsageError(f"both --go are {versions[0]}", "Name two versions:  --go 1.24 --go 1.27")
    changes = _changes(old[0], new[0])
    return (
        VersionDiff(
            go=versions,
            title=title(old[0].scan),
            packages=min(count_packages(side.scan) for side, _ in (old, new)),
            changes=tuple(changes),
            lines=(len(old[0].lines), len(new[0].lines)),
            profile=old[0].joined.profile,
            gaps=tuple(_gaps(old[0].scan, new[0].scan)),
        ),
        old[1] or new[1],
    )


def split_targets(texts: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Split targets into packages, ./... when none is named, and at most one profile or service."""
    targets = [recognise(text) for text in texts]
    packages = tuple(target.text for target in targets if target.kind is TargetKind.PACKAGES)
    measured = [target for target in targets if target.kind is not TargetKind.PACKAGES]
    if any(target.kind is TargetKind.CAPTURE for target in measured):
        raise UsageError("a capture holds the facts of one Go version only", "Name the packages and a heap profile")
    if len(measured) > 1:
        raise UsageError("more than one profile or service was named", "Name the one that ran with the old version")
    return packages or ("./...",), measured[0].text if measured else ""


def _first(tools: Sequence[GoTool]) -> Iterable[tuple[bool, GoTool]]:
    return ((position == 0, tool) for position, tool in enumerate(tools))


def _profile(text: str, access: Access) -> HeapProfile:
    return parse_profile(collect_profile(text, access=access, window_seconds=0.0).raw[-1])


def _side(
    tool: GoTool, options: ScanOptions, profile: HeapProfile | None, progress: Progress
) -> tuple[_Side, TargetError | None]:
    compiled = compile_packages(tool, options, progress)
    scan = compiled.load()
    progress(f"judging {scan.go}")
    joined = join(scan, profile)
    lines: _Lines = defaultdict(list)
    for finding in judge(joined.evidence, Context(go_numbers(scan.go), SourceFiles(scan))):
        if strength(finding):
            lines[finding.site.file, finding.site.line].append(finding)
    codes = {code.symbol: code for package in scan.packages for code in package.functions or ()}
    return _Side(scan, joined, lines, codes, Callees(compiled.library.function)), compiled.failure


def strength(finding: Finding) -> int:
    """How surely a finding allocates in this build: what was measured in another build does not count."""
    if not finding.facts and not finding.calls:
        return 0
    if _is_on_stack_first(finding):
        return _ON_STACK_FIRST
    return _STRENGTH.get(finding.agreement, _CERTAIN)


def _is_on_stack_first(finding: Finding) -> bool:
    """Whether an append's first 32 bytes live in the frame; true of elements known to be as small.

    Source: cmd/compile/internal/ssagen/ssa.go, append (Go 1.25).
    """
    calls = finding.calls or ()
    return (
        any(fact.message == "append does not escape" for fact in finding.facts)
        and bool(calls)
        and all(call.type in _SMALL or call.type.startswith(("*", "[]", "map[", "func(", "chan ")) for call in calls)
    )


def _changes(old: _Side, new: _Side) -> list[LineChange]:
    measured = {(one.site.file, one.site.line): one.direct for one in old.joined.evidence}
    seen_by_both = _files(old.scan) & _files(new.scan)
    changes = []
    for line in sorted(old.lines.keys() | new.lines.keys()):
        before, after = old.lines.get(line, []), new.lines.get(line, [])
        change = change_of(before, after)
        if change is None or _is_only_inlined_otherwise(before, after, old, new):
            continue
        if line[0] in seen_by_both:
            site = replace((before or after)[0].site, column=0)
            measure = measured.get(line, Measure()) if old.joined.profile is not None else None
            changes.append(LineChange(site, change, tuple(before), tuple(after), measure))
    order = list(Change)
    return sorted(changes, key=lambda one: (-_bytes(one.measure), order.index(one.change), one.site))


def _is_only_inlined_otherwise(before: Sequence[Finding], after: Sequence[Finding], old: _Side, new: _Side) -> bool:
    """Whether the line allocates under both, once by a callee's code inlined here and once in that callee."""
    if bool(before) == bool(after):
        return False
    other = old if after else new
    calls = [call for finding in (*before, *after) for call in finding.calls or ()]
    return bool(calls) and all(_allocates_in_a_callee(call, before or after, other) for call in calls)


def _allocates_in_a_callee(call: AllocatorCall, findings: Sequence[Finding], other: _Side) -> bool:
    """Whether the code that is inlined around a call of one version is called, and may allocate, in the other."""
    line = (findings[0].site.file, findings[0].site.line)
    inlined = {part.symbol for part in (call.site, *call.inlined_at) if (part.file, part.line) != line}
    code = other.codes.get(call.symbol)
    called = [made.callee for made in code.callees if made.callee in inlined] if code else []
    return any(
        other.callees.allocates(callee, findings[0].site.package).allocates is not Allocates.NEVER for callee in called
    )


def _files(scan: Scan) -> set[str]:
    """Files of packages that could be built: with build tags, a file may belong to one version only."""
    return {file for package in scan.packages if not package.error for file in package.files}


def _bytes(measure: Measure | None) -> int:
    return measure.alloc_bytes if measure else 0


def change_of(before: Sequence[Finding], after: Sequence[Finding]) -> Change | None:
    """Return what becomes of a line, given its allocating findings under each version; None when nothing does."""
    if not before or not after:
        return None if not before and not after else Change.STOPS if before else Change.STARTS
    old, new = weight(before), weight(after)
    return None if old == new else Change.LESS if new < old else Change.MORE


def weight(findings: Sequence[Finding]) -> tuple[int, int]:
    """How surely and how often a line allocates: by calls that run each time, where machine code is known.

    Calls on some paths only are not counted: what a new Go inlines brings branches that are never taken.
    """
    surely = max(map(strength, findings))
    if any(finding.calls is None for finding in findings):
        return surely, len(findings)
    return surely, len([call for call in calls_of_one_copy(findings) if call.path in _EACH_TIME])


def _gaps(old: Scan, new: Scan) -> Iterable[Gap]:
    for scan in (old, new):
        for gap in scan.gaps:
            yield Gap(gap.witness, f"{scan.go}: {gap.reason}", gap.hint)
    only = _files(old) ^ _files(new)
    if only:
        yield Gap(
            "compiler",
            f"{len(only)} files are built by one of the two versions only (build tags) and were not compared",
            "Look at them with:  whyheap scan --go VERSION",
        )
