"""Variadic any: arguments of fmt, log and their kin are boxed into ...any.

What it is: `fmt.Sprintf("%d", n)` puts n into an interface and the interface into a hidden slice, the argument. The
callee hands it to reflection and interface methods, so the compiler must assume that it keeps everything.

Why it costs: one allocation per value that is no pointer (runtime.convT64, convTstring, ...), sometimes one for the
argument slice, and what the callee allocates itself: Sprintf its result. Errorf, Printf and loggers do the same.

How to see it: "n escapes to heap" with the reasons "spill" and "slice-literal-element" on "... argument"; the slice
is "... argument escapes to heap". Constants print the same words and never allocate.

Fix: strconv.Itoa, strconv.Append* or plain concatenation for single values; a typed logger (log/slog with LogAttrs);
check that the level is enabled before the arguments are built.

When to leave it: errors that are made rarely, start-up messages, tests: formatting is clearer and its cost is not
seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding, Fix
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Escape, Storage
from whyheap.patterns.pattern import Pattern, judgement, mechanical
from whyheap.patterns.route_text import clipped

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="variadic-any",
    title="Arguments boxed into ...any",
    fixes=(judgement("use strconv, a typed logger, or check the level before building the arguments"),),
)
_FORMATTERS = frozenset({"fmt", "log", "errors", "slog"})
_FORMATS = re.compile(
    r"(?:^|\.)(?:(?:S?print|Fprint|Print|Append|Error|Log|Fatal|Panic|Skip|Info|Debug|Warn|Warning|Trace|Wrap)f"
    r"|(?:S|F)?[Pp]rintln|(?:Info|Debug|Warn|Error|Fatal|Panic)w)$|\b[tb]\.(?:Fatal|Error|Log|Skip)$"
)
_ONE_VERB = re.compile(r'fmt\.Sprintf\("%([dstvq])", ([^,"()]+)\)$')
_VERBS = {
    "int": ("dv", "strconv.Itoa({})"),
    "bool": ("tv", "strconv.FormatBool({})"),
    "string": ("sv", "{}"),
}
"""Declared type: the verbs that print it plainly, and the call that does the same."""
_PLAIN = frozenset({Storage.BOX, Storage.VARIABLE, Storage.OBJECT})


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per argument of a variadic call that is boxed, and for the argument slice of such a call."""
    escapes = [escape for escape in context.escapes(evidence) if escape.is_variadic]
    for escape in escapes:
        boxed = escape.storage is Storage.BOX or escape.converted
        slice_of_any = escape.storage is Storage.ARGUMENTS and _takes_any(evidence, context, escape, escapes)
        if (boxed and escape.storage in _PLAIN) or slice_of_any:
            callee = context.variadic_callee(evidence, escape)
            escape.callee = callee
            called = f" for {clipped(callee)}" if callee else ""
            message = f"argument slice of ...any{called}" if slice_of_any else f"boxed into ...any{called}"
            if escape.converted and not slice_of_any:
                message = f"passed in ...any{called}"
            yield PATTERN.heap(evidence, escape, message, fixes=_fixes(evidence, context, escape))


def _takes_any(evidence: Evidence, context: Context, escape: Escape, escapes: list[Escape]) -> bool:
    """Whether an argument slice holds interfaces: a formatter's does, and so does one with boxed elements."""
    if escape.callee.partition(".")[0] in _FORMATTERS or _FORMATS.search(escape.callee):
        return True
    if any(call.type.endswith("]interface {}") for call in escape.calls or ()):
        return True
    if _FORMATS.search(context.variadic_callee(evidence, escape)):
        return True
    declared = context.declarations(evidence.site.file)
    if declared is not None and declared.takes_any(escape.callee.replace("(*", "").replace(")", "")):
        return True
    at = escape.fact.printed_at.column
    return any(
        other.storage is Storage.BOX and step.column == at
        for other in escapes
        for step in (other.fact.flow[0].steps if other.fact.flow else ())
        if step.expr == "... argument"
    )


def _fixes(evidence: Evidence, context: Context, escape: Escape) -> tuple[Fix, ...]:
    """Rewrite the single-verb calls that have an exact equal in strconv."""
    call = context.variadic_call(evidence, escape)
    simple = _ONE_VERB.match(call)
    file = context.file(evidence)
    if simple is None or file is None:
        return ()
    verb, value = simple.groups()
    declared = file.declared_type(value, evidence.site.line) if value.isidentifier() else ""
    if declared in _VERBS and verb in _VERBS[declared][0]:
        return (mechanical(f"{call} -> {_VERBS[declared][1].format(value)}"),)
    if verb == "d":
        return (judgement(f"{call} -> strconv.FormatInt(int64({value}), 10)"),)
    return ()
