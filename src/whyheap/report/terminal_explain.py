"""What `whyheap explain FILE:LINE` shows: all that every witness knows of one line, as a readable chain."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from whyheap.goruntime.allocators import allocator
from whyheap.model.evidence import Agreement
from whyheap.model.facts import CallPath, FactKind
from whyheap.model.machine_code import Allocates
from whyheap.model.site import Site
from whyheap.report.decision_path import Stage, decision_paths
from whyheap.report.line_details import LineDetails
from whyheap.report.plain_words import headline
from whyheap.report.terminal_assembly import assembly_block
from whyheap.report.terminal_finding import Statement, fix_rows, measured, numbered
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
    short_symbol,
    two_sided,
    wrap,
)
from whyheap.report.terminal_verdict import gap_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rich.text import Text

    from whyheap.model.facts import AllocatorCall
    from whyheap.model.finding import Finding
    from whyheap.model.report import Report
    from whyheap.report.line_details import FunctionAllocation

_CONTEXT_LINES: Final = 2
_NEIGHBOURS: Final = 5
_PLACE_WIDTH: Final = 24
_MOST_SAID: Final = 8
_MOST_THROUGH: Final = 4
_NOTHING: Final = LineDetails()
_PATHS: Final = {
    CallPath.ALWAYS: "",
    CallPath.LOOP: ", in a loop",
    CallPath.BRANCH: ", on some paths only",
    CallPath.COLD: ", only on the way to a panic or exit",
    CallPath.UNKNOWN: "",
}
_AS_A_WHOLE: Final = {
    Allocates.ALWAYS: "allocates each time it runs",
    Allocates.MAY: "may allocate: on some paths, or when what it calls does",
    Allocates.NEVER: "never allocates, callees included",
    Allocates.UNKNOWN: "calls code that was not seen: whether it allocates as a whole is not known",
}


def explain_to_terminal(
    report: Report,
    file: str,
    line_number: int,
    *,
    width: int,
    color: bool,
    details: LineDetails = _NOTHING,
    whole_code: bool = False,
) -> str:
    """Render `whyheap explain FILE:LINE`. `file` is the report's spelling or the end of it (`render.go`).

    `whole_code` shows each function's machine code whole rather than what stands around its allocator calls.
    """
    width = max(width, NARROWEST)
    findings = [finding for finding in report.findings if finding.site.line == line_number and _is(finding, file)]
    blocks: list[list[Text]] = []
    if not findings:
        blocks += _nothing(report, file, line_number, width, details)
    for name in dict.fromkeys(finding.site.file for finding in findings):
        blocks += _explained(report, [finding for finding in findings if finding.site.file == name], width, details)
    blocks += [_inlined(details, file, width), _said(details, width, told=bool(findings))]
    blocks += [
        assembly_block(listing, file, line_number, width, whole=whole_code)
        for listing in details.listings
        if listing.calls or whole_code
    ]
    blocks.append(_functions(details.functions, width))
    return render(apart([*blocks, gap_rows(report.gaps, width)]), width, color=color)


def _explained(report: Report, findings: Sequence[Finding], width: int, details: LineDetails) -> list[list[Text]]:
    site = findings[0].site
    blocks = [_heading(report, site, width)]
    carets = [Caret(finding.site.column, finding.subject) for finding in findings]
    blocks.append(source_excerpt(report, site, carets, width, _CONTEXT_LINES))
    shown: set[str] = set()
    shared = _shared_calls(findings)
    for finding in findings:
        statements = [*_stated(finding, details), *_called(finding, shared, details)]
        if shown.isdisjoint(finding.shared_with):
            statements += measured(finding, report.totals)
        shown.add(finding.id)
        blocks.append(_finding(finding, statements, width))
    if shared:
        rows = [line(" ", ("The allocator calls of this line, whichever of these they serve", STYLE_STRONG))]
        blocks.append([*rows, *numbered([_call(call, details) for call in shared], width)])
    return blocks


def _shared_calls(findings: Sequence[Finding]) -> tuple[AllocatorCall, ...]:
    """Return the calls that more than one finding may be about, in the order of the code."""
    counted = Counter(call for finding in findings for call in finding.calls or ())
    return tuple(sorted((call for call, count in counted.items() if count > 1), key=lambda call: call.address))


def _heading(report: Report, site: Site, width: int) -> list[Text]:
    place = cut_place(site.file, site.line, max(width // 2, 16))
    left = line(" ", (place, STYLE_PLACE), "  ", (cut(site.function, max(width // 3, 8)), STYLE_STRONG))
    return two_sided(left, line((cut(report.go, 16), STYLE_QUIET)), width)


def _stated(finding: Finding, details: LineDetails) -> Iterator[Statement]:
    """Yield the compiler's decision, step by step; conclusions have no witness."""
    for path in decision_paths(finding, details.beyond):
        for step in path:
            place = ""
            if step.at is not None:
                file = step.at.file.rpartition("/")[2] if step.at.file == finding.site.file else step.at.file
                place = cut_place(file, step.at.line, _PLACE_WIDTH, step.at.column)
            text = step.text
            if step.stage is Stage.HEAP and finding.agreement is Agreement.NEVER_ALLOCATES:
                text = "so the compiler counts it as on the heap"
            yield Statement(text, "compiler" if step.at is not None else "", place)


def _called(finding: Finding, shared: Collection[AllocatorCall], details: LineDetails) -> Iterator[Statement]:
    """Yield the calls to the allocator, or that there is none."""
    for call in finding.calls or ():
        if call not in shared:
            yield _call(call, details)
    if finding.agreement is Agreement.NEVER_ALLOCATES:
        witness = "machine code" if finding.calls is not None else ""
        yield Statement("but no allocator call is left here: it does not allocate", witness)


def _call(call: AllocatorCall, details: LineDetails) -> Statement:
    of_type = f" of {cut(short_symbol(call.type), 48)}" if call.type else ""
    where = f"{call.address:#x}" if details.is_linked or not call.symbol else f"+{call.address:#x}"
    family = allocator(call.callee)
    may = f"; may do without: {family.may}" if family is not None and family.may else ""
    text = f"CALL {cut(short_symbol(call.callee), 48)}{of_type}{_PATHS[call.path]}{may}"
    return Statement(text, "machine code", where if call.address else "")


def _finding(finding: Finding, statements: Sequence[Statement], width: int) -> list[Text]:
    rows = [line(" ", (part, STYLE_STRONG)) for part in wrap(headline(finding), width - 1)]
    rows += numbered(statements, width)
    rows += fix_rows(finding.fixes, width)
    slug = cut(finding.pattern, 32)
    rows += [
        line(MARGIN, (part, STYLE_QUIET)) for part in wrap(f"pattern {slug}  (whyheap patterns {slug})", width - 4)
    ]
    return rows


def _inlined(details: LineDetails, file: str, width: int) -> list[Text]:
    """List the lines whose code is inlined into this one and allocates: they are explained where they stand."""
    if not details.inlined:
        return []
    rows = [line(" ", ("Code that is inlined here allocates, and is explained where it stands", STYLE_STRONG))]
    for fact in details.inlined[:_MOST_SAID]:
        base = fact.site.file.rpartition("/")[2] if fact.site.file == file else fact.site.file
        place = cut_place(base, fact.site.line, _PLACE_WIDTH, fact.site.column)
        rows += [line(MARGIN, part) for part in wrap(f"{place}  {fact.message}", width - len(MARGIN))]
    if len(details.inlined) > _MOST_SAID:
        rows.append(line(MARGIN, (f"... {len(details.inlined) - _MOST_SAID} more", STYLE_QUIET)))
    return rows


def _said(details: LineDetails, width: int, *, told: bool) -> list[Text]:
    """List what else the compiler says about the line: what stays on the stack, which parameters leak."""
    if not details.said:
        return []
    words = "The compiler also says here" if told else "The compiler says here"
    rows = [line(" ", (words, STYLE_STRONG))]
    for fact in details.said[:_MOST_SAID]:
        stays = "  (it stays on the stack)" if fact.kind is FactKind.STACK else ""
        rows += [line(MARGIN, part) for part in wrap(f"{fact.message}{stays}", width - len(MARGIN))]
    if len(details.said) > _MOST_SAID:
        rows.append(line(MARGIN, (f"... {len(details.said) - _MOST_SAID} more", STYLE_QUIET)))
    return rows


def _functions(functions: Sequence[FunctionAllocation], width: int) -> list[Text]:
    rows: list[Text] = []
    for one in functions:
        text = f"{short_symbol(one.symbol)} as a whole {_AS_A_WHOLE[one.allocates]}"
        if one.calls:
            text += f"; {one.calls} allocator call{'s' * (one.calls > 1)} of its own"
        if one.through:
            names = ", ".join(short_symbol(name) for name in one.through[:_MOST_THROUGH])
            more = f" and {len(one.through) - _MOST_THROUGH} more" if len(one.through) > _MOST_THROUGH else ""
            text += f"; it also allocates through {names}{more}"
        rows += [line(" ", part) for part in wrap(text, width - 1)]
    return rows


def _nothing(report: Report, file: str, line_number: int, width: int, details: LineDetails) -> list[list[Text]]:
    place = cut_place(file, line_number, max(width // 2, 16))
    own = "an allocation by this line's own code" if details.inlined else "an allocation on this line"
    sentences = [f"{place}: no witness knows of {own}."]
    if details.last_line and line_number > details.last_line:
        sentences = [f"{cut(file, width // 2)} has {details.last_line} lines: there is no line {line_number}."]
    elif details.with_code is not None and line_number not in details.with_code:
        near = sorted(details.with_code, key=lambda number: abs(number - line_number))[:_NEIGHBOURS]
        numbers = ", ".join(map(str, sorted(near)))
        sentences = [
            f"line {line_number} of {cut(file, width // 2)} has no code"
            + (f": the nearest lines with code are {numbers}." if near else ": the file has none.")
        ]
    elif details.never_instantiated:
        name = short_symbol(details.never_instantiated)
        sentences = [
            f"{place}: {name} is generic and no scanned package instantiates it: it is not compiled, so not judged.",
            *(
                [f"Name the packages that use it:  whyheap explain {file}:{line_number} ./..."]
                if "./..." not in report.targets
                else []
            ),
        ]
    allocate = {finding.site.line for finding in report.findings if _is(finding, file)} | set(details.near)
    if allocate:
        nearest = sorted(allocate, key=lambda number: abs(number - line_number))[:_NEIGHBOURS]
        sentences.append(f"Nearest lines that allocate in this file: {', '.join(map(str, sorted(nearest)))}.")
    rows = [line(" ", (part, STYLE_STRONG)) for part in wrap(sentences[0], width - 1)]
    rows += [line(" ", part) for text in sentences[1:] for part in wrap(text, width - 1)]
    names = [name for name in report.sources if name == file or name.endswith(f"/{file}")]
    excerpts = [source_excerpt(report, Site(name, line_number), (), width, _CONTEXT_LINES) for name in names[:1]]
    return [*excerpts, rows]


def _is(finding: Finding, file: str) -> bool:
    return finding.site.file == file or finding.site.file.endswith(f"/{file}")
