"""A gate's result as text: one violation a line, as Go tools print them, and a summary at the end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from whyheap.report.visible_text import one_line
from whyheap.units import format_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from whyheap.model.violation import GateResult, Violation

_UNKNOWN_SHOWN: Final = 10


def gate_to_text(result: GateResult) -> str:
    """Render one line per violation, `FILE:LINE:COLUMN: rule: message`, then notes, and a summary as the last line."""
    return "".join(f"{line}\n" for line in _lines(result))


def _lines(result: GateResult) -> Iterator[str]:
    for violation in result.violations:
        yield _violation(violation)
    for text in result.unknown[:_UNKNOWN_SHOWN]:
        yield f"not understood: {one_line(text)}"
    if len(result.unknown) > _UNKNOWN_SHOWN:
        yield f"not understood: {len(result.unknown) - _UNKNOWN_SHOWN} more lines"
    for note in result.notes:
        yield f"note: {one_line(note)}"
    yield _summary(result)


def _violation(violation: Violation) -> str:
    """Return one line; a column that is not known is 1, for programs that read such lines."""
    site = violation.site
    return one_line(f"{site.file}:{site.line}:{site.column or 1}: {violation.rule}: {violation.message}")


def _summary(result: GateResult) -> str:
    counts = Counter(violation.rule for violation in result.violations)
    parts = []
    if counts:
        rules = ", ".join(f"{count} {rule}" for rule, count in counts.most_common())
        parts.append(f"{_many(len(result.violations), 'violation')} ({rules})")
    if result.unknown:
        parts.append(f"{_many(len(result.unknown), 'line')} not understood (--allow-unknown passes over them)")
    verdict = "; ".join(parts) or ("tests failed" if result.failed else "no violations")
    if set(result.checked) == {"packages", "sites"}:  # of --update, which compares with nothing
        verdict = "; ".join(["no rule was checked", *parts])
    checked = ", ".join(
        _many(count, name.removesuffix("s")) for name, count in result.checked.items() if count or name == "packages"
    )
    return one_line(f"{result.title or 'gate'}: {verdict}; {checked}; {result.go} {result.platform}")


def _many(count: int, word: str) -> str:
    return f"{format_count(count)} {word}{'s' if count != 1 else ''}"
