"""A report as JSON: the shape that CONTRACT.md promises to other programs. Keys may be added, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from whyheap.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from whyheap.model.account import MemoryAccount
    from whyheap.model.edit import Proof
    from whyheap.model.event import Event
    from whyheap.model.evidence import CalleeBytes
    from whyheap.model.facts import CompilerFact, Flow
    from whyheap.model.finding import Finding
    from whyheap.model.measure import Measure
    from whyheap.model.report import Report, Totals
    from whyheap.model.root import Root
    from whyheap.model.site import Site
    from whyheap.model.verdict import CauseVerdict, Verdict

SCHEMA: Final = 1
"""Goes up when a key changes its meaning; never yet."""

Json = dict[str, Any]


def to_json(report: Report) -> bytes:
    """Render the whole report as one indented JSON object with a newline at its end; equal reports give equal bytes."""
    return msgspec.json.format(_encode(report_json(report)), indent=2) + b"\n"


def finding_json(finding: Finding, totals: Totals) -> Json:
    """Return one finding in the contract's shape."""
    return _finding(finding, totals)


def encode(value: Json) -> bytes:
    """Encode as JSON; file names that are no UTF-8 come with U+FFFD."""
    return _encode(value)


def plain(value: Any) -> Any:  # noqa: ANN401  any JSON value
    """Return a JSON value whose texts can be encoded: what is no Unicode becomes U+FFFD."""
    return _without_surrogates(value)


def to_jsonl(report: Report) -> bytes:
    """Render one compact JSON object a line per finding, in the report's order."""
    return b"".join(line + b"\n" for line in _finding_lines(report))


def _finding_lines(report: Report) -> Iterator[bytes]:
    for finding in report.findings:
        yield _encode(_finding(finding, report.totals))


def report_json(report: Report) -> Json:
    """Return the whole report in the contract's shape."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "whyheap", "version": VERSION},
        "title": report.title,
        "targets": list(report.targets),
        "go": report.go,
        "verdict": _verdict(report.verdict),
        "findings": [_finding(finding, report.totals) for finding in report.findings],
        "roots": [_root(root) for root in report.roots],
        "entry_points": [
            {
                "function": entry.function,
                "kind": entry.kind,
                "inuse_bytes": entry.measure.inuse_bytes,
                "alloc_bytes": entry.measure.alloc_bytes,
            }
            for entry in report.entry_points
        ],
        "gauges": [
            {"name": gauge.name, "value": gauge.value, "unit": gauge.unit, "at": gauge.at} for gauge in report.gauges
        ],
        "events": [_event(event) for event in report.events],
        "account": None if report.account is None else _account(report.account),
        "gaps": [{"witness": gap.witness, "reason": gap.reason, "hint": gap.hint} for gap in report.gaps],
        "totals": _totals(report.totals),
    }


def _event(event: Event) -> Json:
    return {
        "kind": event.kind.value,
        "at": event.at,
        "text": event.text,
        "witness": event.witness,
        "labels": dict(event.labels),
    }


def _account(account: MemoryAccount) -> Json:
    return {
        "at": account.at,
        "charge_bytes": account.charge_bytes,
        "rss_bytes": account.rss_bytes,
        "rss_explained_bytes": account.rss_explained_bytes,
        "unexplained_bytes": account.unexplained_bytes,
        "untouched_bytes": account.untouched_bytes,
        "elsewhere_bytes": account.elsewhere_bytes,
        "parts": [
            {"part": part.slug, "title": part.title, "bytes": part.bytes, "certainty": part.certainty.value}
            for part in account.parts
        ],
    }


def _root(root: Root) -> Json:
    measure = root.measure
    return {
        "id": root.id,
        "kind": root.kind.value,
        "title": root.title,
        "subject": root.subject,
        "site": None if root.site is None else _site(root.site),
        "pattern": root.pattern,
        "sites": root.sites,
        "files": root.files,
        "held_twice": root.held_twice,
        "inuse_bytes": None if measure is None else measure.inuse_bytes,
        "alloc_bytes": None if measure is None else measure.alloc_bytes,
        "findings": list(root.findings),
    }


def _verdict(verdict: Verdict | None) -> Json | None:
    if verdict is None:
        return None
    return {"causes": [_cause(cause) for cause in verdict.causes]}


def _cause(cause: CauseVerdict) -> Json:
    return {
        "cause": cause.cause,
        "certainty": cause.certainty.value,
        "bytes": cause.bytes,
        "share": cause.share,
        "summary": cause.summary,
        "evidence": [
            {
                "text": statement.text,
                "certainty": statement.certainty.value,
                "site": None if statement.site is None else _site(statement.site),
            }
            for statement in cause.evidence
        ],
        "advice": list(cause.advice),
    }


def _finding(finding: Finding, totals: Totals) -> Json:
    return {
        "id": finding.id,
        "pattern": finding.pattern,
        "root": finding.root,
        "site": _site(finding.site),
        "subject": finding.subject,
        "message": finding.message,
        "witnesses": {
            "compiler": [_compiler(fact) for fact in finding.facts],
            "machine_code": _machine_code(finding),
            "profile": _profile(finding, totals),
        },
        "agreement": finding.agreement.value,
        "certainty": finding.certainty.value,
        "fixes": [
            {"title": fix.title, "kind": fix.kind.value, "proof": proof_json(fix.proof)} for fix in finding.fixes
        ],
        "labels": dict(sorted(finding.labels.items())),
    }


def proof_json(proof: Proof | None) -> Json | None:
    """Return what proves a fix; None for one that nobody tried."""
    if proof is None:
        return None
    return {
        "standing": proof.standing.value,
        "tests": proof.tests.value,
        "gone": list(proof.gone),
        "objects_before": proof.objects_before,
        "objects_after": proof.objects_after,
        "bytes_before": proof.bytes_before,
        "bytes_after": proof.bytes_after,
        "measured_by": proof.measured_by,
        "reason": proof.reason,
        "notes": list(proof.notes),
    }


def _site(site: Site) -> Json:
    return {
        "file": site.file,
        "line": site.line,
        "column": site.column,
        "function": site.function,
        "package": site.package,
    }


def _compiler(fact: CompilerFact) -> Json:
    return {
        "verdict": fact.kind.value,
        "subject": fact.subject,
        "message": fact.message,
        "flow": [_flow(flow) for flow in fact.flow],
    }


def _flow(flow: Flow) -> Json:
    return {
        "to": flow.to,
        "from": flow.from_,
        "steps": [
            {"expr": step.expr, "reason": step.reason, "file": step.file, "line": step.line, "column": step.column}
            for step in flow.steps
        ],
    }


def _machine_code(finding: Finding) -> Json | None:
    if finding.calls is None:
        return None
    return {
        "calls": [
            {
                "callee": call.callee,
                "type": call.type,
                "address": call.address,
                "path": call.path.value,
                "symbol": call.symbol,
            }
            for call in finding.calls
        ],
    }


def _profile(finding: Finding, totals: Totals) -> Json | None:
    measure = finding.measure
    if measure is None:
        return None
    return {
        "inuse_bytes": measure.inuse_bytes,
        "inuse_objects": measure.inuse_objects,
        "alloc_bytes": measure.alloc_bytes,
        "alloc_objects": measure.alloc_objects,
        "share": _share(measure, totals),
        "shared_with": list(finding.shared_with),
        "callees": [_callee(callee) for callee in finding.callees],
    }


def _callee(callee: CalleeBytes) -> Json:
    return {
        "callee": callee.callee,
        "leaf": callee.leaf,
        "inuse_bytes": callee.measure.inuse_bytes,
        "alloc_bytes": callee.measure.alloc_bytes,
    }


def _share(measure: Measure, totals: Totals) -> float | None:
    """Share of all profiled bytes, by the column that the report is ranked by; None when that column is empty."""
    whole = 0 if totals.profile is None else _ranked_bytes(totals.profile, totals.ranked_by)
    return _ranked_bytes(measure, totals.ranked_by) / whole if whole else None


def _totals(totals: Totals) -> Json:
    columns = {name: _column(totals, name) for name in ("inuse", "alloc")}
    ranked = columns["alloc" if totals.ranked_by == "alloc" else "inuse"]
    return {
        "heap_sites": totals.heap_sites,
        "packages": totals.packages,
        "ranked_by": totals.ranked_by,
        "window_seconds": totals.window_seconds,
        "alloc_window_seconds": totals.alloc_window_seconds,
        **ranked,
        **columns,
        "rss_bytes": totals.rss_bytes,
        "rss_explained_bytes": totals.rss_explained_bytes,
    }


def _column(totals: Totals, name: str) -> Json:
    if totals.profile is None:
        return {"profile_bytes": None, "explained_bytes": None, "unexplained_bytes": None}
    profile = _ranked_bytes(totals.profile, name)
    explained = 0 if totals.explained is None else _ranked_bytes(totals.explained, name)
    return {"profile_bytes": profile, "explained_bytes": explained, "unexplained_bytes": profile - explained}


def _ranked_bytes(measure: Measure, ranked_by: str) -> int:
    return measure.alloc_bytes if ranked_by == "alloc" else measure.inuse_bytes


def _encode(value: Json) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # a file name that is no UTF-8: its odd bytes become U+FFFD
        return msgspec.json.encode(_without_surrogates(value))


def _without_surrogates(value: Any) -> Any:  # noqa: ANN401  any JSON value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape" if _is_escaped(value) else "replace").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    return value


def _is_escaped(text: str) -> bool:
    """Whether every lone surrogate stands for an undecodable byte (PEP 383)."""
    return all(not "\ud800" <= char <= "\udfff" or "\udc80" <= char <= "\udcff" for char in text)
