"""A gate's result as text: one violation a line, as Go tools print them, what lies behind it, and a summary."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from whyheap.report.failed_words import failed_words
from whyheap.report.retained_words import retained_lines
from whyheap.report.visible_text import one_line, visible
from whyheap.units import format_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from whyheap.model.violation import GateResult, Violation

_UNKNOWN_SHOWN: Final = 10
_MOST_FRAMES: Final = 12
_PROMISES: Final = frozenset({"noescape", "noalloc", "inline", "bce"})
_BOLD, _RED, _DIM, _END = "\x1b[1m", "\x1b[31m", "\x1b[2m", "\x1b[0m"


def gate_to_text(result: GateResult, *, color: bool = False, all_rows: bool = False, accept: str = "") -> str:
    """Render one line per violation, `FILE:LINE:COLUMN: rule: message`, then notes, a summary, the ways out.

    Under a violation stands its stack, where it has one; `all_rows` shows all of that. `accept` is the command that
    takes new sites into the baseline, empty where they were compared with something else.
    """
    lines = [*_lines(result, color=color, all_rows=all_rows), *(f"  {line}" for line in _ways_out(result, accept))]
    return "".join(f"{line}\n" for line in lines)


def _lines(result: GateResult, *, color: bool, all_rows: bool) -> Iterator[str]:
    for violation in result.violations:
        yield _violation(violation, color=color)
        for line in _behind(violation, all_rows=all_rows):
            yield _painted(line, _DIM, color=color)
    for text in result.unknown[:_UNKNOWN_SHOWN]:
        yield f"not understood: {one_line(text)}"
    if len(result.unknown) > _UNKNOWN_SHOWN:
        yield f"not understood: {_many(len(result.unknown) - _UNKNOWN_SHOWN, 'more line')}"
    for note in result.notes:
        yield f"note: {one_line(note)}"
    yield _summary(result, color=color)


def _ways_out(result: GateResult, accept: str) -> Iterator[str]:
    """Yield a line for each kind of violation that has a way out; for leaks and other faults of tests there is none."""
    rules = list(dict.fromkeys(violation.rule for violation in result.violations))
    if "new-site" in rules:
        new = next(violation.site for violation in result.violations if violation.rule == "new-site")
        accepted = f", or accept them:  {accept}" if accept else ""
        yield f"Take new sites off the heap (whyheap explain {one_line(f'{new.file}:{new.line}')} says why){accepted}"
    if "budget" in rules:
        files = dict.fromkeys(one.site.file for one in result.violations if one.rule == "budget")
        yield f"Allocate less, or change the budget in {one_line(' or '.join(files))}"
    if not _PROMISES.isdisjoint(rules):
        yield "Keep what the directive in the source promises, or take the directive out"


def _violation(violation: Violation, *, color: bool) -> str:
    """Return one line; a column that is not known is 1, for programs that read such lines."""
    site = violation.site
    place = f"{site.file}:{site.line}:{site.column or 1}" if site.file else violation.labels.get("package", "")
    place, rule = _painted(one_line(place), _BOLD, color=color), _painted(violation.rule, _RED, color=color)
    return f"{place}: {rule}: {one_line(violation.message)}"


def _behind(violation: Violation, *, all_rows: bool) -> Iterator[str]:
    frames = violation.stack if all_rows else violation.stack[:_MOST_FRAMES]
    rows = [(site.symbol, str(site.position)) for site in frames]
    if violation.rule == "leak" and violation.site.symbol:
        creator = violation.labels.get("created_by", violation.site.symbol)
        rows.append((f"created by {creator}", violation.labels.get("created_at", str(violation.site.position))))
    width = max((len(name) for name, _ in rows), default=0)
    for number, (name, place) in enumerate(rows):
        if number == len(frames) < len(violation.stack):
            yield f"    ... {_many(len(violation.stack) - len(frames), 'more frame')} (--all)"
        yield f"    {visible(name):<{width}}  {visible(place)}"
    yield from (f"    {line}" for line in retained_lines(violation.labels))


def _summary(result: GateResult, *, color: bool) -> str:
    counts = Counter(violation.rule for violation in result.violations)
    parts = []
    if counts:
        rules = ", ".join(f"{count} {rule}" for rule, count in counts.most_common())
        parts.append(f"{_many(len(result.violations), 'violation')} ({rules})")
    if result.unknown:
        way_out = " (--allow-unknown passes over them)" if "sites" in result.checked else ""  # of gates alone
        parts.append(f"{_many(len(result.unknown), 'line')} not understood{way_out}")
    if result.failed:
        parts.append(failed_words(result))
    if result.not_judged:
        parts.append("not all of it could be judged")
    verdict = "; ".join(parts) or "no violations"
    if set(result.checked) == {"packages", "sites"}:  # of --update, which compares with nothing
        verdict = "; ".join(["no rule was checked", *parts])
    checked = ", ".join(
        _many(count, name.removesuffix("s")) for name, count in result.checked.items() if count or name == "packages"
    )
    title = _painted(one_line(result.title or "gate"), _BOLD, color=color)
    return f"{title}: {one_line(verdict)}; {one_line(checked)}; {one_line(f'{result.go} {result.platform}')}"


def _many(count: int, word: str) -> str:
    return f"{format_count(count)} {word}{'s' if count != 1 else ''}"


def _painted(text: str, code: str, *, color: bool) -> str:
    return f"{code}{text}{_END}" if color else text
