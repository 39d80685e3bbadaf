"""Tells sites that new code brings from those that a new Go brings, by what the baseline's Go says of today's code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from whyheap.app.gate_scan import scan_for_gate
from whyheap.collect.compiler import Progress, ScanOptions
from whyheap.errors import UsageError, WhyheapError
from whyheap.host.go import GoTool
from whyheap.host.toolchains import remember_go
from whyheap.model.baseline import Baseline
from whyheap.model.finding import Finding

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Apart:
    """New sites that count as violations, and sentences about the others.

    `doubt` follows each violation's message, where it cannot be told whether code or Go brings it.
    """

    violations: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    doubt: str = ""

    @property
    def is_undecided(self) -> bool:
        """Whether a new Go may be all that there is to the violations."""
        return bool(self.doubt)


@dataclass(frozen=True, slots=True)
class OldSites:
    """What the baseline's Go says of today's code; `reason` says why nothing, when it could not be asked."""

    sites: Mapping[str, Finding] | None
    go: str = ""
    reason: str = ""


def old_sites(version: str, find: Callable[[str], GoTool | None], options: ScanOptions, progress: Progress) -> OldSites:
    """Scan today's code with the Go that a baseline is of, if it can be had. Raises UsageError for a wrong one."""
    try:
        tool = find(version)
        if tool is None:
            return OldSites(None, reason=f"{version} is not on this machine")
        progress(f"asking {version}")
        scanned = scan_for_gate(tool, options, progress)
        remember_go(scanned.scan.go, tool.command)
    except UsageError:
        raise
    except WhyheapError as error:
        return OldSites(None, reason=f"{version} could not be asked: {error.message}")
    if scanned.compiled.failure is not None:
        return OldSites(None, reason=f"{version} could not be asked: {scanned.compiled.failure.message}")
    return OldSites(scanned.sites, scanned.scan.go)


def tell_apart(new: Mapping[str, Finding], old: OldSites, baseline: Baseline, go: str) -> Apart:
    """Split new sites: the code brings those on whose line the old Go, too, has one that the baseline lacks.

    Lines are compared as well as ids, because versions of Go name some values differently.
    """
    if old.sites is None and _minor(baseline.go) == _minor(go):  # patch releases decide alike
        return Apart(tuple(new.values()))
    if old.sites is None:
        doubt = f" (it is of {baseline.go}, this is {go}: code or Go may bring the site)"
        return Apart(tuple(new.values()), (_way_out(old.reason, baseline.go, len(new)),), doubt)
    added = {id_: one for id_, one in old.sites.items() if id_ not in baseline.entries}
    lines = {(one.site.file, one.site.line) for one in added.values()}
    by_code = [one for id_, one in new.items() if id_ in added or (one.site.file, one.site.line) in lines]
    by_go = [one for one in new.values() if not any(one is other for other in by_code)]
    return Apart(tuple(by_code), (_only_go(by_go, old.go, go),) if by_go else ())


def _minor(go: str) -> str:
    return ".".join(go.split(".")[:2])


def _way_out(reason: str, version: str, count: int) -> str:
    one = "1 new site" if count == 1 else f"{count} new sites"
    return (
        f"{reason}, so it cannot be told whether code or Go brings {one}. "
        f"To tell:  --baseline-go {version.removeprefix('go')}. To accept all in the commit that changes Go:  --update"
    )


def _only_go(sites: Iterable[Finding], old: str, new: str) -> str:
    places = [str(one.site.position) for one in sorted(sites, key=lambda one: one.site)]
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    word = "1 site differs" if len(places) == 1 else f"{len(places)} sites differ"
    return (
        f"{word} only because of Go: {new} has them in code where {old} has none: "
        f"{', '.join(places[:_NAMED])}{more}. --update takes them over"
    )
