"""What `whyheap diff --go A --go B` shows: the lines that a Go upgrade changes, those with most bytes first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from whyheap.model.evidence import Agreement
from whyheap.model.measure import Measure
from whyheap.model.version_diff import Change, calls_of_one_copy
from whyheap.report.plain_words import headline
from whyheap.report.terminal_diff import STYLE_MORE, changed_lines, diff_header, diff_page, sentence
from whyheap.report.terminal_text import NARROWEST, STYLE_QUIET, STYLE_REMEDY, STYLE_STRONG, labelled
from whyheap.units import format_bytes, format_count, format_share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.text import Text

    from whyheap.model.finding import Finding
    from whyheap.model.version_diff import LineChange, VersionDiff

_WIDEST_PLACE: Final = 36
_WORDS: Final = {
    Change.STOPS: ("stops allocating", "stop allocating"),
    Change.LESS: ("allocates less", "allocate less"),
    Change.MORE: ("allocates more", "allocate more"),
    Change.STARTS: ("starts to allocate", "start to allocate"),
}
_STYLES: Final = {
    Change.STOPS: STYLE_REMEDY,
    Change.LESS: STYLE_REMEDY,
    Change.MORE: STYLE_MORE,
    Change.STARTS: STYLE_MORE,
}


def version_diff_to_terminal(diff: VersionDiff, *, width: int, color: bool, all_rows: bool = False) -> str:
    """Render the comparison. No line is wider than `width` cells (40 at least)."""
    width = max(width, NARROWEST)
    note = "" if diff.profile is not None else "no bytes known: add a profile"
    blocks = [
        diff_header(diff.title, diff.go, note, width),
        _summary(diff, width),
        *(_section(diff, change, width, all_rows=all_rows) for change in Change),
    ]
    return diff_page(blocks, diff.gaps, width, color=color)


def _summary(diff: VersionDiff, width: int) -> list[Text]:
    counts = Counter(change.change for change in diff.changes)
    parts = [
        f"{format_count(counts[change])} {'line' if counts[change] == 1 else 'lines'} {words[counts[change] != 1]}"
        for change, words in _WORDS.items()
        if counts[change]
    ]
    text = ", ".join(parts) or "no line allocates differently"
    rows = sentence(text, STYLE_STRONG, width)
    old, new = (format_count(lines) for lines in diff.lines)
    first = f"{old} allocating {'line' if diff.lines[0] == 1 else 'lines'} with {diff.go[0]}"
    rest = f"{first}, {new} with {diff.go[1]}, {_counted(diff.packages, 'package')}"
    rows += sentence(rest, STYLE_QUIET, width)
    if diff.profile is not None:
        rows += sentence(_bytes(diff, diff.profile), "", width)
    return labelled("GO", rows)


def _bytes(diff: VersionDiff, whole: Measure) -> str:
    def share(*changes: Change) -> str:
        found = sum(_alloc(change) for change in diff.changes if change.change in changes)
        of_all = f" ({format_share(found / whole.alloc_bytes)})" if whole.alloc_bytes else ""
        return f"{format_bytes(found)}{of_all}"

    return (
        f"of {format_bytes(whole.alloc_bytes)} allocated, {share(Change.STOPS)} came from lines that stop, "
        f"{share(Change.LESS)} from lines that allocate less"
    )


def _section(diff: VersionDiff, change: Change, width: int, *, all_rows: bool) -> list[Text]:
    told = [
        (one.site, (f"{format_bytes(_alloc(one))}, " if one.measure else "") + _told(one))
        for one in diff.changes
        if one.change is change
    ]
    title = change.value.upper()
    return changed_lines(title, _STYLES[change], told, _WIDEST_PLACE, width, all_rows=all_rows)


def _told(change: LineChange) -> str:
    before, after = _reasons(change.before), _reasons(change.after)
    if change.change is Change.STOPS:
        return f"{before}: no longer allocates"
    if change.change is Change.STARTS:
        calls = [call.callee for finding in change.after for call in finding.calls or ()]
        is_moved = bool(calls) and all(callee.startswith("runtime.moveSlice") for callee in calls)
        return f"{after}: {'its first bytes were on the heap already' if is_moved else 'did not allocate before'}"
    if before == after:
        return f"{before}: {_how(change.before)} -> {_how(change.after)}"
    return f"{before} ({_how(change.before)}) -> {after} ({_how(change.after)})"


def _reasons(findings: Iterable[Finding]) -> str:
    return ", ".join(dict.fromkeys(map(headline, findings)))


def _how(findings: Sequence[Finding]) -> str:
    """Say how often and how surely a line allocates, in words that differ where the two versions do."""
    count = _counted(len(calls_of_one_copy(findings)) or len(findings), "allocation")
    if any(finding.agreement is not Agreement.MAY_ALLOCATE for finding in findings):
        return count
    denied = any("does not escape" in fact.message for finding in findings for fact in finding.facts)
    return f"{count} at times{', none while it is small' if denied else ''}"


def _alloc(change: LineChange) -> int:
    return change.measure.alloc_bytes if change.measure else 0


def _counted(count: int, word: str) -> str:
    return f"{format_count(count)} {word}{'' if count == 1 else 's'}"
