"""A gate's result as text: one line per violation, as compilers print it, what lies behind it, and a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from whyheap.model.violation import RULES, GateResult, Violation
from whyheap.report.visible_text import one_line, visible
from whyheap.units import format_bytes, format_count

_MOST_FRAMES = 12
_BOLD, _RED, _DIM, _END = "\x1b[1m", "\x1b[31m", "\x1b[2m", "\x1b[0m"


def gate_to_text(result: GateResult, *, color: bool = False, all_rows: bool = False) -> str:
    """Return `FILE:LINE:COLUMN: rule: message` lines, each with its stack, then notes and the summary."""
    lines: list[str] = []
    for violation in result.violations:
        lines.append(_headline(violation, color=color))
        lines += (_painted(line, _DIM, color=color) for line in _behind(violation, all_rows=all_rows))
    lines += (f"note: {one_line(note)}" for note in result.notes)
    lines += (f"not understood: {one_line(line)}" for line in result.unknown)
    return "\n".join([*lines, _summary(result, color=color)]) + "\n"


def _headline(violation: Violation, *, color: bool) -> str:
    site = violation.site
    place = str(site.position) if site.file else violation.labels.get("package", "")
    rule = _painted(violation.rule, _RED, color=color)
    return f"{_painted(visible(place), _BOLD, color=color)}: {rule}: {one_line(violation.message)}"


def _behind(violation: Violation, *, all_rows: bool) -> Iterator[str]:
    frames = violation.stack if all_rows else violation.stack[:_MOST_FRAMES]
    rows = [(site.symbol, str(site.position)) for site in frames]
    if violation.rule == "leak" and violation.site.symbol and violation.site not in violation.stack:
        rows.append((f"created by {violation.site.symbol}", str(violation.site.position)))
    width = max((len(name) for name, _ in rows), default=0)
    for number, (name, place) in enumerate(rows):
        if number == len(frames) < len(violation.stack):
            yield f"    ... {len(violation.stack) - len(frames)} more frames (--all)"
        yield f"    {visible(name):<{width}}  {visible(place)}"
    size = violation.labels.get("stack_bytes_at_least", "")
    if size.isdecimal():
        yield f"    holds at least {format_bytes(int(size))} of stack, and what it refers to"


def _summary(result: GateResult, *, color: bool) -> str:
    checked = ", ".join(_counted(count, name) for name, count in result.checked.items() if count)
    where = f"{checked or 'nothing'} checked with {result.go} on {result.platform}"
    counts = Counter(violation.rule for violation in result.violations)
    found = ", ".join(f"{counts[rule]} {rule}" for rule in RULES if counts[rule])
    failed = "; ordinary tests failed" if result.failed else ""
    if not counts:
        word = "failed" if result.failed else "not judged" if result.unknown else "clean"
        return f"{_painted(word, _BOLD, color=color)}: {where}{failed}"
    total = _counted(sum(counts.values()), "violations")
    return f"{_painted(total, _BOLD, color=color)} ({found}): {where}{failed}"


def _counted(count: int, name: str) -> str:
    return f"{format_count(count)} {name.removesuffix('s') if count == 1 else name}"


def _painted(text: str, code: str, *, color: bool) -> str:
    return f"{code}{text}{_END}" if color else text
