"""`whyheap explain FILE:LINE --format json`: all that the terminal shows, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from whyheap.goruntime.allocators import allocator
from whyheap.report.decision_path import decision_paths
from whyheap.report.plain_words import headline
from whyheap.report.to_json import SCHEMA, Json, encode, finding_json
from whyheap.version import VERSION

if TYPE_CHECKING:
    from whyheap.model.facts import CompilerFact
    from whyheap.model.finding import Finding
    from whyheap.model.report import Report
    from whyheap.model.site import Position
    from whyheap.report.decision_path import PathStep
    from whyheap.report.disassembly import Instruction
    from whyheap.report.line_details import LineDetails, Listing


def explain_to_json(report: Report, file: str, line: int, details: LineDetails) -> bytes:
    """Render the explanation of one line as one indented JSON object."""
    findings = [one for one in report.findings if (one.site.file, one.site.line) == (file, line)]
    text = report.sources.get(file, "").split("\n")
    answer = {
        "schema": SCHEMA,
        "tool": {"name": "whyheap", "version": VERSION},
        "file": file,
        "line": line,
        "go": report.go,
        "source": text[line - 1] if 0 < line <= len(text) and text != [""] else None,
        "has_code": True if findings else None if details.with_code is None else line in details.with_code,
        "findings": [_finding(one, report, details) for one in findings],
        "compiler": [_said(fact) for fact in details.said],
        "inlined": [
            {"message": fact.message, "subject": fact.subject, **_position(fact.site)} for fact in details.inlined
        ],
        "machine_code": [_listing(listing) for listing in details.listings] if details.code_was_read else None,
        "functions": [
            {
                "symbol": one.symbol,
                "allocates": one.allocates.value,
                "calls": one.calls,
                "through": list(one.through),
            }
            for one in details.functions
        ],
        "never_instantiated": details.never_instantiated or None,
        "lines_that_allocate": list(details.near),
        "gaps": [{"witness": gap.witness, "reason": gap.reason, "hint": gap.hint} for gap in report.gaps],
    }
    return msgspec.json.format(encode(answer), indent=2) + b"\n"


def _finding(finding: Finding, report: Report, details: LineDetails) -> Json:
    notes = {call.callee: row.may for call in finding.calls or () if (row := allocator(call.callee)) and row.may}
    return {
        **finding_json(finding, report.totals),
        "headline": headline(finding),
        "paths": [[_step(step) for step in path] for path in decision_paths(finding, details.beyond)],
        "may_do_without": [{"callee": callee, "when": when} for callee, when in notes.items()],
    }


def _step(step: PathStep) -> Json:
    return {
        "stage": step.stage.value,
        "text": step.text,
        "reason": step.reason,
        **(_position(step.at) if step.at is not None else {"file": None, "line": None, "column": None}),
    }


def _position(at: Position) -> Json:
    return {"file": at.file, "line": at.line, "column": at.column}


def _said(fact: CompilerFact) -> Json:
    return {"verdict": fact.kind.value, "subject": fact.subject, "message": fact.message, **_position(fact.printed_at)}


def _listing(listing: Listing) -> Json:
    offsets = listing.offsets
    return {
        "symbol": listing.symbol,
        "architecture": listing.architecture,
        "address": listing.address,
        "instructions": [_instruction(one, is_call=one.offset in offsets) for one in listing.instructions],
    }


def _instruction(one: Instruction, *, is_call: bool) -> Json:
    return {
        "offset": one.offset,
        "name": one.name,
        "operands": one.operands,
        "callee": one.callee,
        "type": one.type,
        "target": one.target,
        "allocates_here": is_call,
        "function": one.function,
        **_position(one.at),
    }
