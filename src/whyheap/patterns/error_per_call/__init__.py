"""Error per call: an error is made anew each time, although it could be made once.

What it is: errors.New or fmt.Errorf inside a function: each call makes a new error value with its text, even where
the text is always the same and the callers only compare or print it.

Why it costs: errors.New is inlined and allocates a 16-byte errorString (runtime.newobject, from Go 1.27
mallocgcSmallScanNoHeader); fmt.Errorf formats besides, boxes its arguments and allocates text and error. On a path
that fails often (parsing, look-ups, full queues) this is a steady stream of garbage.

How to see it: "&errors.errorString{...} escapes to heap" at the call of errors.New. From Go 1.26 fmt.Errorf is inlined
as well and prints the same words at each of its calls, though only a format without verbs takes that way. Up to 1.25
Errorf's own allocations are seen in profiles only.

Fix: declare a sentinel, `var errTooMany = errors.New("too many")`, and return that; wrap it where the caller needs
details. In hot code a small error type of one's own carries numbers without formatting them.

When to leave it: the error is rare, or its text needs what is known only here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from whyheap.model.evidence import CalleeBytes, Evidence
from whyheap.model.finding import Finding, Fix
from whyheap.patterns.callee_finding import of_callee, short
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Escape
from whyheap.patterns.pattern import Pattern, judgement, mechanical
from whyheap.patterns.route_text import clipped

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="error-per-call",
    title="Error made on each call",
    fixes=(judgement("declare the error once as a package variable and return that"),),
)
_VALUE = "&errors.errorString{...}"
_CALLEES = re.compile(
    r"(?:fmt\.[Ee]rrorf|errors\.(?:New|Join)|github\.com/pkg/errors\.\w+|golang\.org/x/xerrors\.\w+)$"
)
_CONSTANT = re.compile(r'(?:errors\.New|fmt\.Errorf)\((?:"[^"%\\]*"|`[^`%]*`)\)$')


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per errorString that a function makes; those of package variables are made once."""
    for escape in context.escapes(evidence):
        if escape.subject != _VALUE or _is_made_once(evidence, context, escape):
            continue
        call = _call(evidence, context, escape)
        made_by = call.partition("(")[0]
        escape.callee = made_by or escape.callee
        by = f" by {clipped(made_by)}" if made_by else ""
        yield PATTERN.heap(evidence, escape, f"error made{by} on each call", fixes=_fixes(call))


def called(evidence: Evidence, parts: Sequence[CalleeBytes]) -> Finding | None:
    """Return the finding for bytes of a function that makes errors, None if the callee is none."""
    callee = parts[0].callee
    if not _CALLEES.match(callee):
        return None
    return of_callee(PATTERN, evidence, parts, f"error made by {clipped(short(callee))} on each call")


def _is_made_once(evidence: Evidence, context: Context, escape: Escape) -> bool:
    """Whether the value initialises a package variable: outside of functions, in the compiler's words "init"."""
    file = context.file(evidence)
    if file is not None:
        return not file.functions(evidence.site.line)
    return escape.fact.function in ("", "init") or escape.fact.function.startswith("init.")


def _call(evidence: Evidence, context: Context, escape: Escape) -> str:
    """Return the call as written, on one line; "" without source."""
    file = context.file(evidence)
    at = escape.fact.printed_at
    call = file.call_at(evidence.site.line, at.column) if file is not None else None
    return " ".join(call.text().split()) if call is not None else ""


def _fixes(call: str) -> tuple[Fix, ...]:
    """Propose a sentinel where the text is a constant."""
    if not _CONSTANT.match(call):
        return ()
    text = call.partition("(")[2]
    return (mechanical(f"var err... = errors.New({clipped(text[:-1])}) beside the function, and return that"),)
