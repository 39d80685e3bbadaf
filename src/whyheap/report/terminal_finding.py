"""The proof of one line: its source with a caret, the chain in plain words with who says it, the fix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from whyheap.model.evidence import Agreement
from whyheap.model.finding import FixKind
from whyheap.model.measure import Measure
from whyheap.report.plain_words import chain, conclusion, headline
from whyheap.report.ranked_lines import bytes_of
from whyheap.report.terminal_source import Caret, source_excerpt
from whyheap.report.terminal_table import amount, share_of
from whyheap.report.terminal_text import (
    MARGIN,
    STYLE_PLACE,
    STYLE_QUIET,
    STYLE_REMEDY,
    STYLE_STRONG,
    cut,
    cut_place,
    line,
    pad,
    short_symbol,
    side_by_side,
    wrap,
)
from whyheap.units import format_large_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from whyheap.model.evidence import CalleeBytes
    from whyheap.model.facts import CompilerFact
    from whyheap.model.finding import Finding, Fix
    from whyheap.model.report import Report, Totals

CERTAINTY_OF_FIX: Final = {FixKind.MECHANICAL: "provable", FixKind.JUDGEMENT: "your judgement"}

_STEPS: Final = 12
_FACTS: Final = 3
_CALLEES: Final = 3
_PLACE_WIDTH: Final = 24
_NUMBER_WIDTH: Final = 3
_WIDE: Final = 72


@dataclass(frozen=True, slots=True)
class Statement:
    """One step of the proof; without a witness it is a conclusion, which has no number."""

    text: str
    witness: str = ""
    place: str = ""


def numbered(statements: Sequence[Statement], width: int) -> list[Text]:
    """Number the steps, with who says each and where, at the right."""
    with_place = width >= _WIDE
    witness_width = max((cell_len(statement.witness) for statement in statements), default=0) + 2
    rows: list[tuple[Text, str, str, str]] = []
    number = 1
    for said in statements:
        label = f"{number:<{_NUMBER_WIDTH}}" if said.witness else " " * _NUMBER_WIDTH
        right = f"{pad(said.witness, witness_width)}{said.place}".rstrip() if with_place else said.witness
        rows.append((line(MARGIN, (label, STYLE_QUIET)), said.text, "", right))
        number += bool(said.witness)
    return side_by_side(rows, width)


def fix_rows(fixes: Sequence[Fix], width: int) -> list[Text]:
    """List the alternatives of one finding."""
    rows = [
        (line(MARGIN, (label, STYLE_STRONG)), fix.title, STYLE_REMEDY, CERTAINTY_OF_FIX[fix.kind])
        for label, fix in zip(("fix  ", *["or   "] * len(fixes)), fixes, strict=False)
    ]
    return side_by_side(rows, width)


def finding_block(report: Report, finding: Finding, rank: int, width: int) -> list[Text]:
    """Draw one finding in full, as the proof below the table of `why`."""
    place = cut_place(finding.site.file, finding.site.line, max(width - 40, 16), finding.site.column)
    pattern = cut(finding.pattern, 28)
    function = cut(finding.site.function, max(width - 8 - cell_len(place) - cell_len(pattern) - 4, 1))
    left = line((f"{rank:>3} ", STYLE_QUIET), (place, STYLE_PLACE), "  ", function)
    room = width - left.cell_len - cell_len(pattern)
    rows = [left.append(" " * max(room, 1)).append(pattern, STYLE_QUIET)]
    rows += [line(MARGIN, (part, STYLE_STRONG)) for part in wrap(headline(finding), width - 4)]
    rows += spaced(source_excerpt(report, finding.site, [Caret(finding.site.column, finding.subject)], width))
    rows += numbered([*stated(finding), *called(finding), *measured(finding, report.totals)], width)
    return [*rows, *fix_rows(finding.fixes, width)]


def stated(finding: Finding) -> Iterator[Statement]:
    """Yield the compiler's steps, each flow with its conclusion."""
    for fact in _different(finding.facts):
        sentences = chain(fact, finding.pattern)
        for sentence in sentences[:_STEPS]:
            at = sentence.at
            file = at.file.rpartition("/")[2] if at.file == finding.site.file else at.file
            yield Statement(sentence.text, "compiler", cut_place(file, at.line, _PLACE_WIDTH, at.column))
        if len(sentences) > _STEPS:
            yield Statement(f"... {len(sentences) - _STEPS} more steps")
        follows = conclusion(fact, finding.pattern)
        if follows:
            yield Statement(follows)


def _different(facts: Sequence[CompilerFact]) -> list[CompilerFact]:
    """Keep one of the facts that read the same: instantiations of a generic repeat them."""
    kept: dict[object, CompilerFact] = {}
    for fact in facts:
        steps = tuple((step.reason, step.file, step.line, step.column) for flow in fact.flow for step in flow.steps)
        kept.setdefault((fact.message, steps), fact)
    return list(kept.values())[:_FACTS]


def called(finding: Finding) -> Iterator[Statement]:
    """Yield what machine code says: the calls to the allocator, or that there is none."""
    for call in finding.calls or ():
        of_type = f" of {cut(short_symbol(call.type), 48)}" if call.type else ""
        address = f"{call.address:#x}" if call.address else ""
        yield Statement(f"CALL {cut(short_symbol(call.callee), 48)}{of_type}", "machine code", address)
    if finding.agreement is Agreement.NEVER_ALLOCATES:
        yield Statement("no allocator call is left here: it does not allocate", "machine code")


def measured(finding: Finding, totals: Totals) -> Iterator[Statement]:
    """Yield what the profile says: all bytes of the line, then those of its largest callees."""
    if finding.measure is None:
        return
    yield Statement(_amounts(finding, totals), "profile")
    for callee in sorted(finding.callees, key=_callee_weight)[:_CALLEES]:
        column = "alloc" if callee.measure.alloc_bytes else "inuse"
        size = amount(bytes_of(callee.measure, column), column, totals)
        inside = "" if callee.leaf == callee.callee else f", allocated in {cut(short_symbol(callee.leaf), 40)}"
        yield Statement(f"{size} of it through {cut(short_symbol(callee.callee), 40)}{inside}", "profile")


def _amounts(finding: Finding, totals: Totals) -> str:
    """Say the bytes of a finding: "18.0 MiB in use (6 %), 61.0 MiB/s allocated (58 %)"."""
    measure = finding.measure or Measure()
    parts: list[str] = []
    for column, word in (("inuse", "in use"), ("alloc", "allocated")):
        size = bytes_of(measure, column)
        if size:
            share = share_of(measure, totals, column)
            parts.append(f"{amount(size, column, totals)} {word}" + (f" ({share})" if share else ""))
    if measure.alloc_objects and totals.rate_seconds:
        least = ">=" if totals.is_rate_least else ""
        parts.append(f"{least}{format_large_count(measure.alloc_objects / totals.rate_seconds)} objects/s")
    elif measure.alloc_objects:
        parts.append(f"{format_large_count(measure.alloc_objects)} objects since start")
    shared = f"; shared with {len(finding.shared_with)} more of this line" if finding.shared_with else ""
    return f"{', '.join(parts)}{shared}" if parts else "no bytes in the profile"


def _callee_weight(callee: CalleeBytes) -> tuple[int, int]:
    return (-callee.measure.alloc_bytes, -callee.measure.inuse_bytes)


def spaced(rows: list[Text]) -> list[Text]:
    """Put an empty line before and after rows, if there are any."""
    return [line(), *rows, line()] if rows else []
