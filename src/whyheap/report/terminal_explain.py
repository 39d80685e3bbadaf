"""What `whyheap explain FILE:LINE` shows: all that every witness knows of one line, as a readable chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from whyheap.model.site import Site
from whyheap.report.plain_words import headline
from whyheap.report.terminal_finding import Statement, called, fix_rows, measured, numbered, stated
from whyheap.report.terminal_source import Caret, source_excerpt
from whyheap.report.terminal_text import (
    MARGIN,
    NARROWEST,
    STYLE_PLACE,
    STYLE_QUIET,
    STYLE_STRONG,
    apart,
    cut,
    cut_place,
    line,
    render,
    two_sided,
    wrap,
)
from whyheap.report.terminal_verdict import gap_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from whyheap.model.finding import Finding
    from whyheap.model.report import Report

_CONTEXT_LINES: Final = 2
_NEIGHBOURS: Final = 5


def explain_to_terminal(report: Report, file: str, line_number: int, *, width: int, color: bool) -> str:
    """Render `whyheap explain FILE:LINE`. `file` is the report's spelling or the end of it (`render.go`)."""
    width = max(width, NARROWEST)
    findings = [finding for finding in report.findings if finding.site.line == line_number and _is(finding, file)]
    blocks: list[list[Text]] = []
    if not findings:
        blocks += _nothing(report, file, line_number, width)
    for name in dict.fromkeys(finding.site.file for finding in findings):
        blocks += _explained(report, [finding for finding in findings if finding.site.file == name], width)
    return render(apart([*blocks, gap_rows(report.gaps, width)]), width, color=color)


def _explained(report: Report, findings: Sequence[Finding], width: int) -> list[list[Text]]:
    site = findings[0].site
    blocks = [_heading(report, site, width)]
    carets = [Caret(finding.site.column, finding.subject) for finding in findings]
    blocks.append(source_excerpt(report, site, carets, width, _CONTEXT_LINES))
    shown: set[str] = set()
    said: set[Statement] = set()
    for finding in findings:
        statements = [*stated(finding), *called(finding)]
        if shown.isdisjoint(finding.shared_with):
            statements += measured(finding, report.totals)
        fresh = [statement for statement in statements if statement not in said or not statement.witness]
        said.update(statements)
        shown.add(finding.id)
        blocks.append(_finding(finding, fresh, width))
    return blocks


def _heading(report: Report, site: Site, width: int) -> list[Text]:
    place = cut_place(site.file, site.line, max(width // 2, 16))
    left = line(" ", (place, STYLE_PLACE), "  ", (cut(site.function, max(width // 3, 8)), STYLE_STRONG))
    return two_sided(left, line((cut(report.go, 16), STYLE_QUIET)), width)


def _finding(finding: Finding, statements: Sequence[Statement], width: int) -> list[Text]:
    rows = [line(" ", (part, STYLE_STRONG)) for part in wrap(headline(finding), width - 1)]
    rows += numbered(statements, width)
    rows += fix_rows(finding.fixes, width)
    slug = cut(finding.pattern, 32)
    rows += [
        line(MARGIN, (part, STYLE_QUIET)) for part in wrap(f"pattern {slug}  (whyheap patterns {slug})", width - 4)
    ]
    return rows


def _nothing(report: Report, file: str, line_number: int, width: int) -> list[list[Text]]:
    place = cut_place(file, line_number, max(width // 2, 16))
    text = f"{place}: no witness knows of an allocation on this line."
    rows = [line(" ", (part, STYLE_STRONG)) for part in wrap(text, width - 1)]
    near = sorted({finding.site.line for finding in report.findings if _is(finding, file)})
    near.sort(key=lambda number: abs(number - line_number))
    if near:
        numbers = ", ".join(str(number) for number in sorted(near[:_NEIGHBOURS]))
        rows += [line(" ", part) for part in wrap(f"Nearest lines that allocate in this file: {numbers}.", width - 1)]
    names = [name for name in report.sources if name == file or name.endswith(f"/{file}")]
    excerpts = [source_excerpt(report, Site(name, line_number), (), width, _CONTEXT_LINES) for name in names[:1]]
    return [*excerpts, rows]


def _is(finding: Finding, file: str) -> bool:
    return finding.site.file == file or finding.site.file.endswith(f"/{file}")
