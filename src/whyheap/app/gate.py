"""The job of `whyheap gate`: what breaks the rules that a repository has given itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from whyheap.app.gate_asked import Asked, Elsewhere, is_instance, unknown_sites
from whyheap.app.gate_budgets import Budgets, judge_budgets, measured_packages
from whyheap.app.gate_directives import Judged, judge_directives
from whyheap.app.gate_scan import GateScan, scan_for_gate, shown
from whyheap.app.gate_toolchain import Apart, old_sites, tell_apart
from whyheap.app.revision import revision_in
from whyheap.app.scan_report import count_packages, shown_sources, title
from whyheap.app.source_tree import SourceTree, laid_out, of_version, patterns_in, remedy
from whyheap.collect.benchmarks import BenchmarkAllocations, run_benchmarks
from whyheap.collect.compiler import Progress, ScanOptions
from whyheap.errors import TargetError, UsageError
from whyheap.host.files import write_atomically
from whyheap.host.git import Repository
from whyheap.host.go import GoTool
from whyheap.host.repository import folder_in_repository
from whyheap.host.toolchains import remember_go
from whyheap.model.baseline import Baseline, BaselineEntry
from whyheap.model.evidence import Agreement
from whyheap.model.finding import Finding
from whyheap.model.gauge import Gap
from whyheap.model.revision_diff import Revision
from whyheap.model.violation import GateResult, Violation
from whyheap.parse.baseline_text import baseline_text, parse_baseline
from whyheap.report.plain_words import headline

DEFAULT_BASELINE = "whyheap.baseline"
_LARGEST_BASELINE_BYTES = 256 << 20
_MODE = 0o644
_NOT_THERE = ("matched no packages", "no Go files in")
"""What go says of folders that have no package yet."""


@dataclass(frozen=True, slots=True)
class GateRequest:
    """What to check. `baseline` is a file, which must exist if it `is_named`; `since` a revision in place of it.

    `baseline_go` finds the go command that a baseline is of, None when it cannot be had.
    """

    options: ScanOptions
    baseline: Path
    is_named: bool = False
    since: str = ""
    baseline_go: Callable[[str], GoTool | None] = lambda _: None
    budgets: Budgets = field(default_factory=lambda: Budgets(Path()))
    allow_unknown: bool = False
    keep_sources: bool = True


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """What a gate found, and the error of packages or benchmarks that did not build or run; `exit_code` follows."""

    result: GateResult
    failure: TargetError | None
    exit_code: int


def run_gate(go: GoTool, request: GateRequest, progress: Progress = lambda _: None) -> GateOutcome:
    """Check all rules. Raises UsageError for a bad baseline, TargetError when nothing could be scanned."""
    baseline = _read(request) if not request.since else None
    since = revision_in(request.options.folder, request.since) if request.since else None
    scanned = _scan(go, request, progress)
    judged = judge_directives(scanned)
    notes = list(judged.notes)
    violations: list[Violation] = []
    if baseline is not None:
        _check_build(baseline, scanned, request)
        violations += _new_sites(scanned, baseline, request, notes, progress)
    failure = scanned.compiled.failure
    benchmarks, failed, torn = _benchmarks(go, scanned, request, progress)
    budgets = list(judge_budgets(scanned, request.budgets, benchmarks))
    asked = Asked(scanned)
    elsewhere = [one for one in budgets if one.labels["budget"] == "package" and not asked.has_target(one)]
    notes += [one.message for one in elsewhere]
    violations += [*judged.violations, *(one for one in budgets if one not in elsewhere)]
    if since is not None:
        violations = _only_added(go, scanned, violations, since, request, notes, progress)
    elif baseline is None:
        if not judged.directives and not request.budgets.budgets and failure is None:
            raise UsageError(
                f"there is nothing to check: no {shown(request.baseline, str(Path.cwd()))}, no directives, no budgets",
                "Write a baseline and commit it:  whyheap gate --update",
            )
        notes.append(f"new sites are not judged: there is no {request.baseline.name} (--update writes it)")
    notes += _told(scanned.scan.gaps)
    unknown = (*scanned.unknown(), *judged.unknown, *torn)
    result = _result(scanned, violations, notes, unknown, judged, request)
    result = replace(result, failed=failed is not None, not_judged=_sentences(failure, failed))
    return GateOutcome(result, failure or failed, _exit_code(result, failure or failed, request))


def update_baseline(go: GoTool, request: GateRequest, progress: Progress = lambda _: None) -> GateOutcome:
    """Write the baseline of what is there now; nothing is written when a package does not build.

    With packages named, entries of others stay. Raises UsageError when the file is there and no baseline: it is kept.
    """
    old = _read(replace(request, is_named=False))
    scanned = _scan(go, request, progress)
    failure = scanned.compiled.failure
    unknown = tuple(scanned.unknown())
    notes = list(_told(scanned.scan.gaps))
    if failure is None and (not unknown or request.allow_unknown):
        new = _baseline(scanned, request.options)
        asked = Asked(scanned)
        if old is not None and not asked.is_all:
            others = Elsewhere(scanned, old)
            entries = {id_: one for id_, one in new.entries.items() if scanned.sites[id_] not in others}
            kept = {
                id_: one
                for id_, one in old.entries.items()
                if one.package not in asked or id_ in new.entries or is_instance(one)
            }
            new = replace(new, entries=entries)
            if kept:
                _check_build(old, scanned, request)
            new = replace(new, entries={**kept, **new.entries})
        write_atomically(request.baseline, baseline_text(new).encode(), _MODE)
        before = old.entries.keys() if old is not None else set()
        changes = f"{len(new.entries.keys() - before)} new, {len(before - new.entries.keys())} gone"
        notes.insert(0, f"{request.baseline} is written: {len(new.entries)} entries, {changes}")
    else:
        notes.insert(0, f"{request.baseline} is not written")
    result = _result(scanned, (), notes, unknown, Judged(), request)
    checked = {name: result.checked[name] for name in ("packages", "sites")}
    result = replace(result, checked=checked, not_judged=_sentences(failure))
    return GateOutcome(result, failure, _exit_code(result, failure, request))


def _sentences(*failures: TargetError | None) -> tuple[str, ...]:
    return tuple(one.message for one in failures if one is not None)


def _exit_code(result: GateResult, failure: TargetError | None, request: GateRequest) -> int:
    if failure is not None:
        return failure.exit_code
    if result.unknown and not request.allow_unknown:
        return TargetError.exit_code
    return 1 if result.violations else 0


def _scan(go: GoTool, request: GateRequest, progress: Progress) -> GateScan:
    scanned = scan_for_gate(go, request.options, progress)
    remember_go(scanned.scan.go, go.command)
    return scanned


def _read(request: GateRequest) -> Baseline | None:
    """Read the baseline, None when there is none and nobody named one."""
    name = str(request.baseline)
    try:
        if not request.baseline.exists() and not request.is_named:
            return None
        if not request.baseline.is_file():
            reason = "it is no file" if request.baseline.exists() else "there is no such file"
            raise UsageError(f"--baseline {name}: {reason}", "Write one:  whyheap gate --update --baseline FILE")
        with request.baseline.open("rb") as handle:
            data = handle.read(_LARGEST_BASELINE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror or error}") from error
    if len(data) > _LARGEST_BASELINE_BYTES:
        raise UsageError(f"{name} is larger than a baseline can be")
    return parse_baseline(data, name)


def _baseline(scanned: GateScan, options: ScanOptions) -> Baseline:
    entries = {
        id_: BaselineEntry(id_, one.pattern, one.site.package, one.site.function, one.subject)
        for id_, one in scanned.sites.items()
    }
    return Baseline(scanned.scan.go, _platform(scanned), options.tags, options.gcflags, options.tests, entries)


def _platform(scanned: GateScan) -> str:
    return f"{scanned.scan.goos}/{scanned.scan.goarch}"


def _check_build(baseline: Baseline, scanned: GateScan, request: GateRequest) -> None:
    """Refuse to compare two kinds of build. Raises UsageError."""
    options = request.options
    words = {True: "with tests", False: "without tests"}
    goos, _, goarch = baseline.platform.partition("/")
    for theirs, ours, hint in (
        (baseline.platform, _platform(scanned), f"--goos {goos} --goarch {goarch}"),
        (f"tags {baseline.tags!r}", f"tags {options.tags!r}", f"--tags '{baseline.tags}'"),
        (f"gcflags {baseline.gcflags!r}", f"gcflags {options.gcflags!r}", f"--gcflags '{baseline.gcflags}'"),
        (words[baseline.tests], words[options.tests], "--tests" if baseline.tests else "no --tests"),
    ):
        if theirs != ours:
            raise UsageError(
                f"{request.baseline} is of a build {theirs}, this one is {ours}",
                f"Build as it was ({hint}), or keep a baseline for each:  --baseline FILE",
            )


def _new_sites(
    scanned: GateScan, baseline: Baseline, request: GateRequest, notes: list[str], progress: Progress
) -> Iterator[Violation]:
    """Yield sites that the baseline lacks, and note what is gone and what only a new toolchain brings."""
    packages = {package.package for package in scanned.scan.packages if not package.error}
    is_all = Asked(scanned).is_all
    gone = [
        one
        for one in baseline.entries.values()
        if one.package in packages and one.id not in scanned.sites and (is_all or not is_instance(one))
    ]
    if gone:
        word = "entry is gone" if len(gone) == 1 else "entries are gone"
        notes.append(f"{len(gone)} {word}: --update takes them out of {request.baseline}")
    new, elsewhere = unknown_sites(scanned, baseline)
    if elsewhere:
        whose = "1 site is" if elsewhere == 1 else f"{elsewhere} sites are"
        notes.append(f"{whose} of packages that were not asked about, and not judged: they are inlined or generic code")
    apart = Apart(tuple(new.values()))
    if new and baseline.go != scanned.scan.go:
        old = old_sites(baseline.go, request.baseline_go, request.options, progress)
        apart = tell_apart(new, old, baseline, scanned.scan.go)
        notes += apart.notes
    if apart.is_undecided and request.allow_unknown:
        return
    for finding in apart.violations:
        labels = {"toolchain": "undecided"} if apart.is_undecided else {}
        where = f"{request.baseline.name} does not know it"
        yield _new_site(scanned, finding, where + apart.doubt, labels)


def _new_site(scanned: GateScan, finding: Finding, where: str, labels: Mapping[str, str]) -> Violation:
    word = "may allocate" if finding.agreement is Agreement.MAY_ALLOCATE else "allocates"
    said = f"{finding.facts[0].message}: " if finding.facts else ""
    same = _same(scanned, finding)
    alike = f"; one of {len(same)} alike, lines {', '.join(map(str, same))}" if len(same) > 1 else ""
    message = f"{word}: {said}{headline(finding)} ({finding.pattern}){alike}; {where}"
    return Violation(finding.id, "new-site", finding.site, message, finding, labels)


def _same(scanned: GateScan, finding: Finding) -> list[int]:
    """Return the lines of sites whose ids differ by their order alone: any of them may be the new one."""
    about = (finding.site.file, finding.site.function, finding.pattern, finding.subject)
    return sorted(
        one.site.line
        for one in scanned.sites.values()
        if (one.site.file, one.site.function, one.pattern, one.subject) == about
    )


def _benchmarks(
    go: GoTool, scanned: GateScan, request: GateRequest, progress: Progress
) -> tuple[list[BenchmarkAllocations] | None, TargetError | None, list[str]]:
    """Return what benchmarks of budgets allocate, or why they failed, and lines of theirs that may be results."""
    packages = measured_packages(scanned, request.budgets)
    torn: list[str] = []
    if not packages:
        return [], None, torn
    progress("running benchmarks")
    try:
        options = request.options
        found = run_benchmarks(go, options.folder, packages, options.tags, options.gcflags, not_understood=torn.append)
    except TargetError as error:
        return None, error, torn
    return found, None, torn


def _only_added(
    go: GoTool,
    scanned: GateScan,
    violations: Iterable[Violation],
    since: tuple[Repository, Revision],
    request: GateRequest,
    notes: list[str],
    progress: Progress,
) -> list[Violation]:
    """Return what a revision's own scan lacks; new sites too."""
    progress(f"checking out {request.since}")
    known: set[str] = set()
    sites: set[str] = set()
    repository, revision = since
    with laid_out(repository, (revision,), go) as (tree,):
        notes += (f"{gap.witness}: {gap.reason}. {gap.hint}".rstrip(". ") for gap in tree.gaps)
        old = _old_scan(of_version(tree, scanned.scan.go), request, progress)
        if old is None:
            notes.append(f"{request.since} has no {' '.join(request.options.patterns)} here: all sites are new")
        else:
            sites = set(old.sites)
            known = {one.id for one in judge_directives(old).violations}
            known |= _kept_budgets(old, scanned, request.budgets)
            if old.compiled.failure is not None:
                notes.append(f"{request.since}: {old.compiled.failure.message}: what is there counts as new")
    where = f"{request.since} does not have it"
    new = [_new_site(scanned, one, where, {}) for id_, one in scanned.sites.items() if id_ not in sites]
    return [*new, *(one for one in violations if one.id not in known)]


def _old_scan(tree: SourceTree, request: GateRequest, progress: Progress) -> GateScan | None:
    """Scan a revision; None when it has no such packages yet. Raises TargetError when they do not build."""
    patterns = tuple(patterns_in(tree.folder, request.options)) if tree.folder.is_dir() else ()
    if not patterns:
        return None
    try:
        return scan_for_gate(tree.go, replace(request.options, folder=tree.folder, patterns=patterns), progress)
    except TargetError as error:
        if any(words in error.message for words in _NOT_THERE) or any(_lacks(error, one) for one in patterns):
            return None
        hint = remedy(tree) or error.hint
        raise TargetError(f"{request.since} could not be scanned: {error.message}", hint) from error


def _lacks(error: TargetError, package: str) -> bool:
    """Whether go said that there is no such package: in a module, or, with a path like those of std, in std."""
    named = rf"(?:no required module provides package|package) {re.escape(package)}(?:;| is not in std)"
    return re.search(named, error.message) is not None


def _kept_budgets(old: GateScan, new: GateScan, budgets: Budgets) -> set[str]:
    """Return the violations of budgets that the old code had as well, and by no less."""
    before = {one.id: one for one in judge_budgets(old, budgets, None)}
    after = {one.id: one for one in judge_budgets(new, budgets, None)}
    return {id_ for id_, one in before.items() if id_ in after and _size(one) >= _size(after[id_])}


def _size(violation: Violation) -> int:
    return int(violation.labels.get("count", "0"))


def _told(gaps: Iterable[Gap]) -> Iterator[str]:
    """Yield what a witness could not say, the compiler's unknown lines and packages apart: these are told elsewhere."""
    for gap in gaps:
        if gap.witness != "compiler":
            yield f"{gap.witness}: {gap.reason}"


def _result(
    scanned: GateScan,
    violations: Iterable[Violation],
    notes: Iterable[str],
    unknown: tuple[str, ...],
    judged: Judged,
    request: GateRequest,
) -> GateResult:
    ordered = sorted(
        violations, key=lambda one: (one.site.file, one.site.line, one.site.column, one.rule, one.id, one.message)
    )
    checked = {
        "packages": count_packages(scanned.scan),
        "sites": len(scanned.sites),
        "directives": judged.directives,
        "budgets": len(request.budgets.budgets),
    }
    findings = [one.finding for one in ordered if one.finding is not None]
    return GateResult(
        go=scanned.scan.go,
        platform=_platform(scanned),
        violations=tuple(ordered),
        notes=tuple(Counter(notes)),
        unknown=unknown,
        checked=checked,
        title=title(scanned.scan),
        sources=shown_sources(findings, scanned.sources) if request.keep_sources else {},
        in_repository=folder_in_repository(Path(scanned.scan.root)),
    )
