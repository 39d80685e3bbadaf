"""Facts as JSON lines, in the contract's shape: what `scan --facts` prints and the cache keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from whyheap.model.facts import CompilerFact
from whyheap.model.site import Position
from whyheap.parse.go_symbol import function_name

_ENCODER = msgspec.json.Encoder()
_UNKNOWN = b'{"kind":"unknown",'


def encode_facts(facts: Iterable[CompilerFact], unknown: Iterable[str]) -> bytes:
    """One JSON object a line, in the order given; lines that were not understood come last."""
    rows: list[object] = [_row(fact) for fact in facts]
    rows.extend({"kind": "unknown", "text": text} for text in unknown)
    return _ENCODER.encode_lines(rows)


def unknown_texts(lines: bytes) -> Iterator[str]:
    """Yield the texts that were not understood, of one package's lines: they come last."""
    for line in lines[max(lines.find(_UNKNOWN), 0) :].splitlines():
        if line.startswith(_UNKNOWN):
            yield msgspec.json.decode(line)["text"]


def _row(fact: CompilerFact) -> dict[str, object]:
    printed, site = fact.printed_at, fact.site
    return {
        "kind": fact.kind,
        "file": printed.file,
        "line": printed.line,
        "column": printed.column,
        "function": function_name(fact.function),
        "package": fact.package,
        "message": fact.message,
        "subject": fact.subject,
        "flow": [
            {
                "to": flow.to,
                "from": flow.from_,
                "steps": [
                    {
                        "expr": step.expr,
                        "reason": step.reason,
                        "file": step.file,
                        "line": step.line,
                        "column": step.column,
                    }
                    for step in flow.steps
                ],
            }
            for flow in fact.flow
        ],
        "site": _position(site),
        "inlined_at": [_position(at) for at in fact.inlined_at] or None,
    }


def _position(position: Position) -> dict[str, object]:
    return {"file": position.file, "line": position.line, "column": position.column}
