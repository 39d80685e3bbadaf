"""Edits with their proofs, for the terminal: each as a unified diff, with what proves it below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from rich.text import Text

from whyheap.model.edit import OfTests, Proof, ProvenEdit, Refusal, Standing
from whyheap.model.finding import Finding
from whyheap.report.fix_json import alternatives
from whyheap.report.terminal_text import (
    STYLE_ALARM,
    STYLE_PLACE,
    STYLE_QUIET,
    STYLE_REMEDY,
    STYLE_STRONG,
    line,
    render,
    wrap,
)
from whyheap.report.visible_text import visible
from whyheap.units import format_bytes

_SHOWN_REFUSALS = 10
_STYLES = {Standing.PROVEN: STYLE_REMEDY, Standing.UNMEASURED: STYLE_STRONG, Standing.REFUTED: STYLE_ALARM}


def fixes_to_terminal(
    edits: Sequence[ProvenEdit],
    refused: Sequence[tuple[Finding, Refusal]],
    findings: Mapping[str, Finding],
    *,
    title: str,
    go: str,
    width: int = 80,
    color: bool = False,
    all_rows: bool = False,
    named: bool = False,
) -> str:
    """Render what `whyheap fix` found; `named`: the user named lines or ids, so all of their refusals are told."""
    told = Counter(one.proof.standing for one in edits)
    counts = ", ".join(f"{told[standing]} {standing.value}" for standing in Standing if told[standing])
    rows = [line(f" {title}  {go}  ", (counts or "no mechanical edits", STYLE_STRONG)), line("")]
    for one in edits:
        if one.proof.standing is not Standing.REFUTED or all_rows or named:
            rows += _edit(one, findings, width)
    rows += _refusals(edits, refused, width, all_rows=all_rows or named)
    for row in rows:
        if not row.no_wrap:
            row.truncate(width)
    widest = max(width, *(row.cell_len for row in rows))
    return render(rows, width=widest, color=color)


def _edit(one: ProvenEdit, findings: Mapping[str, Finding], width: int) -> list[Text]:
    site = findings[one.edit.findings[0]].site
    place, function = visible(f" {site.file}:{site.line}"), visible(site.function)
    rest: list[str | tuple[str, str]] = [f"  {function}  ", (one.edit.pattern, STYLE_STRONG)]
    if cell_len(f"{place}  {function}  {one.edit.pattern}") <= width:
        rows = [line((place, STYLE_PLACE), *rest)]
    else:
        rows = [line((place, STYLE_PLACE)), line(" ", *rest)]
    if one.proof.standing is not Standing.REFUTED:
        rows += [_diff_line(text) for text in one.diff.removesuffix("\n").split("\n")]
    else:
        rows += [line("   " + text) for text in wrap(one.edit.title, width - 4)]
    style = _STYLES[one.proof.standing]
    lines = [part for text in proof_words(one.proof) for part in wrap(text, width - 14)]
    for number, text in enumerate(lines):
        head = f" {one.proof.standing.value:<11} " if not number else " " * 13
        rows.append(line((head, style), text))
    cautions = wrap(one.edit.caution, width - 14) if one.proof.standing is not Standing.REFUTED else []
    rows += [line((f" {'' if number else 'changes':<11} ", STYLE_QUIET), text) for number, text in enumerate(cautions)]
    return [*rows, line("")]


def _diff_line(text: str) -> Text:
    """Show a line of a diff in one piece, however long: a terminal wraps it, and it can still be copied."""
    style = STYLE_QUIET if text.startswith(("@@", "---", "+++")) else {"+": "green", "-": "red"}.get(text[:1], "")
    return Text(visible(text.replace("\t", "    ")), style, no_wrap=True)


def proof_words(proof: Proof) -> list[str]:
    """Say what a proof did and showed."""
    if proof.standing is Standing.REFUTED:
        return [proof.reason]
    said = ["builds; go vet passes; " + _tests(proof.tests)]
    if proof.gone:
        more = f" and {len(proof.gone) - 1} more" if len(proof.gone) > 1 else ""
        said.append(f"gone: {' '.join(proof.gone[0].split())}{more}")
    if proof.objects_before is not None and proof.objects_after is not None:
        before, after = format_bytes(proof.bytes_before or 0), format_bytes(proof.bytes_after or 0)
        by = "in one run of the tests" if proof.measured_by == "tests" else "per call, in a benchmark"
        said.append(f"objects {proof.objects_before:,} -> {proof.objects_after:,}, {before} -> {after} {by}")
    if proof.reason and proof.standing is Standing.UNMEASURED:
        said.append(f"nothing says what it saves: {proof.reason}")
    is_told = proof.tests in {OfTests.SKIPPED, OfTests.NONE}  # by the words about the tests
    return said if is_told else [*said, *proof.notes]


def _tests(told: OfTests) -> str:
    return {
        OfTests.PASS: "the tests pass",
        OfTests.FAIL_WITHOUT: "tests fail without it too, and no others with it",
        OfTests.NONE: "there are no tests",
        OfTests.SKIPPED: "tests not run",
        OfTests.TIMED_OUT: "the tests take too long",
    }.get(told, told.value)


def _refusals(
    edits: Sequence[ProvenEdit], refused: Sequence[tuple[Finding, Refusal]], width: int, *, all_rows: bool
) -> list[Text]:
    """Say what is not automatic, and why; what needs judgement alone is counted, and shown where it was named."""
    rows: list[Text] = []
    wrong = [one for one in edits if one.proof.standing is Standing.REFUTED]
    if wrong and not all_rows:
        were = "edits were" if len(wrong) > 1 else "edit was"
        rows.append(line((f" {len(wrong)} {were} tried and refuted (--all shows more)", STYLE_QUIET)))
    if not refused:
        return rows
    if all_rows:
        told: dict[tuple[str, str, str, tuple[str, ...]], int] = {}
        for finding, refusal in refused:
            place = f" {finding.site.file}:{finding.site.line}"
            said = (place, finding.pattern, refusal.reason, alternatives(finding))
            told[said] = told.get(said, 0) + 1
        for (place, pattern, reason, ways), count in told.items():
            times = f"  {count} values" if count > 1 else ""
            rows.append(line((visible(place), STYLE_PLACE), f"  {pattern}{times}"))
            rows += [line("   " + text) for text in wrap(f"not automatic: {reason}", width - 4)]
            rows += [line("   " + text) for way in ways for text in wrap(f"your judgement: {way}", width - 4)]
        return rows
    counted = Counter(refusal.reason for _, refusal in refused)
    have = "findings have" if len(refused) > 1 else "finding has"
    rows.append(line((f" {len(refused):,} {have} no automatic edit (--all shows each)", STYLE_QUIET)))
    for reason, count in counted.most_common(_SHOWN_REFUSALS):
        rows += [
            line((f" {count:>7,}  " if not number else " " * 10, ""), text)
            for number, text in enumerate(wrap(reason, width - 11))
        ]
    return rows
