"""The job of `whyheap diff REV REV`: the ways to the heap that a change adds and removes, and its benchmarks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from whyheap.app.revision import RevisionPair
from whyheap.app.revision_benchmarks import BenchmarkRequest, compare_benchmarks
from whyheap.app.scan_report import count_packages, go_numbers, title
from whyheap.app.site_matching import Matched, Placed, match_sites
from whyheap.app.source_tree import SourceTree, laid_out, of_version, patterns_in, remedy
from whyheap.app.version_diff import strength, weight
from whyheap.collect.compiler import Progress, ScanOptions, compile_packages
from whyheap.collect.sources import SourceFiles
from whyheap.errors import TargetError
from whyheap.host.go import GoTool
from whyheap.join import join
from whyheap.model.finding import Finding
from whyheap.model.gauge import Gap
from whyheap.model.revision_diff import ChangedSite, Revision, RevisionDiff, SiteChange
from whyheap.model.scan import Scan
from whyheap.model.site import Site
from whyheap.model.version_diff import calls_of_one_copy
from whyheap.patterns.context import Context
from whyheap.patterns.judge import judge

_NAMED = 3


@dataclass(frozen=True, slots=True)
class _Side:
    """What a revision allocates; `broken` are its packages that do not build, with the reason."""

    scan: Scan | None
    sites: tuple[Placed, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()
    gaps: tuple[Gap, ...] = ()


def diff_revisions(
    pair: RevisionPair,
    go: GoTool,
    options: ScanOptions,
    bench: BenchmarkRequest | None = None,
    progress: Progress = lambda _: None,
) -> tuple[RevisionDiff, TargetError | None]:
    """Scan both revisions and compare; also returns the error of packages that do not build in one of them.

    `options` say which packages, seen from the folder that we stand in, and the flags of the build.
    """
    revisions = (pair.old, pair.new)
    with laid_out(pair.repository, revisions, go) as found:
        for revision, tree in zip(revisions, found, strict=True):
            if not tree.folder.is_dir():
                inside = pair.repository.folder.relative_to(pair.repository.root)
                raise TargetError(f"{revision.title} has no folder {inside}", "Go to the top of the repository")
        version = found[-1].go.environment(found[-1].folder).GOVERSION
        trees = tuple(of_version(tree, version) for tree in found)
        sides = tuple(_side(revision, tree, options, progress) for revision, tree in zip(revisions, trees, strict=True))
        scans = [side.scan for side in sides if side.scan is not None]
        if not scans:
            raise TargetError(
                f"{' '.join(options.patterns)} is in neither {pair.old.title} nor {pair.new.title}",
                "Name packages that one of them has; ./... for all",
            )
        gaps = [gap for tree in trees for gap in tree.gaps]
        benchmarks, failed = None, None
        if bench is not None:
            benchmarks, missing, failed = compare_benchmarks(trees, revisions, options, bench, progress)
            gaps += missing
    failure = _failure(revisions, sides) or failed
    gaps += [gap for side in sides for gap in side.gaps]
    notes = _notes(pair)
    return replace(
        _compared(revisions, sides, scans[-1]), benchmarks=benchmarks, notes=notes, gaps=_once(gaps)
    ), failure


def _side(revision: Revision, tree: SourceTree, options: ScanOptions, progress: Progress) -> _Side:
    patterns = tuple(patterns_in(tree.folder, options))
    if not patterns:
        gap = Gap("git", f"{revision.title} has no {' '.join(options.patterns)}: there is nothing to compare with", "")
        return _Side(None, gaps=(gap,))
    try:
        compiled = compile_packages(
            tree.go,
            replace(options, folder=tree.folder, patterns=patterns),
            lambda text: progress(f"{revision.name}: {text}"),
        )
    except TargetError as error:
        raise TargetError(f"{revision.title}: {error.message}", remedy(tree) or error.hint) from error
    scan = compiled.load()
    progress(f"{revision.name}: judging")
    sources = SourceFiles(scan)
    context = Context(go_numbers(scan.go), sources)
    evidence = join(scan, None).evidence
    lines = _Lines(sources)
    sites = tuple(
        Placed(finding, lines.text(finding.site)) for finding in judge(evidence, context) if strength(finding)
    )
    broken = tuple((package.package, package.error) for package in scan.packages if package.error)
    gaps = tuple(Gap(gap.witness, f"{revision.title}: {gap.reason}", gap.hint) for gap in scan.gaps)
    return _Side(scan, sites, broken, gaps)


class _Lines:
    """The lines of source files, each file cut up once."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources
        self._files: dict[str, list[str]] = {}

    def text(self, site: Site) -> str:
        """Return a site's line without the blanks around it, "" without its source."""
        if site.file not in self._files:
            self._files[site.file] = self._sources.get(site.file, "").split("\n")
        lines = self._files[site.file]
        return lines[site.line - 1].strip() if 0 < site.line <= len(lines) else ""


def _compared(revisions: tuple[Revision, Revision], sides: Sequence[_Side], newest: Scan) -> RevisionDiff:
    broken = {package for side in sides for package, _ in side.broken}
    before, after = ([one for one in side.sites if one.finding.site.package not in broken] for side in sides)
    matched = match_sites(before, after)
    return RevisionDiff(
        revisions=revisions,
        title=title(newest),
        go=newest.go,
        packages=(_packages(sides[0].scan), _packages(sides[1].scan)),
        sites=(len(before), len(after)),
        calls=(_all_calls(before), _all_calls(after)),
        changes=tuple(_changes(matched, _crowded(before, after))),
        moved=len(matched.moved),
    )


def _packages(scan: Scan | None) -> int:
    return count_packages(scan) if scan is not None else 0


def _changes(matched: Matched, crowded: Callable[[Placed, Placed], bool]) -> list[ChangedSite]:
    changes = [_changed(SiteChange.ADDED, None, one) for one in matched.added]
    changes += [_changed(SiteChange.REMOVED, one, None) for one in matched.removed]
    for old, new in (*matched.same, *matched.moved):
        change = change_of(old.finding, new.finding, by_calls=not crowded(old, new))
        if change is not None:
            changes.append(_changed(change, old, new))
    order = list(SiteChange)
    return sorted(changes, key=lambda one: (order.index(one.change), one.site, one.finding.id))


def _crowded(before: Iterable[Placed], after: Iterable[Placed]) -> Callable[[Placed, Placed], bool]:
    """Tell whether other sites came to the line of a pair, or left it: sites of a line share its allocator calls."""
    counts = [Counter(_line(one) for one in side) for side in (before, after)]
    return lambda old, new: counts[0][_line(old)] != counts[1][_line(new)]


def _line(one: Placed) -> tuple[str, str, int]:
    site = one.finding.site
    return site.package, site.file, site.line


def change_of(before: Finding, after: Finding, *, by_calls: bool = True) -> SiteChange | None:
    """Return what becomes of a site that both revisions have; None when it allocates as before, for the same reason.

    Without `by_calls` only how surely it allocates counts, not by how many calls.
    """
    old, new = (weight([one]) if by_calls else (strength(one), 0) for one in (before, after))
    if old != new:
        return SiteChange.LESS if new < old else SiteChange.MORE
    return SiteChange.OTHER if before.pattern != after.pattern else None


def _changed(change: SiteChange, old: Placed | None, new: Placed | None) -> ChangedSite:
    shown = new or old
    before, after = (one.finding if one is not None else None for one in (old, new))
    return ChangedSite(change, before, after, shown.text if shown else "", (_calls(before), _calls(after)))


def _calls(finding: Finding | None) -> int | None:
    """Count the allocator calls of a site, once where its code was copied; None where machine code does not tell."""
    if finding is None:
        return 0
    return None if finding.calls is None else len(calls_of_one_copy([finding]))


def _all_calls(sites: Iterable[Placed]) -> int:
    """Count the allocator calls of all lines that have sites, each once."""
    lines: dict[tuple[str, str, int], list[Finding]] = defaultdict(list)
    for one in sites:
        lines[_line(one)].append(one.finding)
    return sum(len(calls_of_one_copy(findings)) for findings in lines.values())


def _failure(revisions: tuple[Revision, Revision], sides: Sequence[_Side]) -> TargetError | None:
    for revision, side in zip(revisions, sides, strict=True):
        if side.broken:
            names = ", ".join(package for package, _ in side.broken[:_NAMED])
            more = f" and {len(side.broken) - _NAMED} more" if len(side.broken) > _NAMED else ""
            return TargetError(
                f"{revision.title}: {names}{more} could not be built: {side.broken[0][1]}",
                "They were left out on both sides; the others were compared.",
            )
    return None


def _notes(pair: RevisionPair) -> tuple[str, ...]:
    changed = pair.repository.changed_files()
    if not pair.new.commit:
        return (
            f"the working tree differs from HEAD in {_counted(changed)}" if changed else "nothing differs from HEAD",
        )
    if changed and pair.repository.commit("HEAD") == pair.new.commit:
        return (f"{_counted(changed)} with changes that are not committed are not in it: whyheap diff {pair.old.name}",)
    return ()


def _counted(files: int) -> str:
    return f"{files} file{'' if files == 1 else 's'}"


def _once(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    return tuple(dict.fromkeys(gaps))
