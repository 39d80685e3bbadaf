"""Compiler reason: no pattern of its own yet, so the compiler's last telling reason is the name.

What it is: a value that the compiler puts on the heap for a reason that has no folder in this catalogue yet. It is
named by that reason: where the flow ends, or which rule of size applies.

Why it costs: one allocation each time the line runs, unless the compiler's word is all there is (dead code, values of
size zero).

How to see it: "escapes to heap" or "moved to heap" with the flow that -m=2 prints; `whyheap explain FILE:LINE` shows
the whole chain.

Fix: cut the chain at its last step: that is where the value gets away. The steps before it only carry it there.

When to leave it: the value has to outlive its function, or the line is not hot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from whyheap.model.evidence import Evidence
from whyheap.model.facts import AllocatorCall, CompilerFact, FactKind
from whyheap.model.finding import Finding, Fix
from whyheap.model.site import Site
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Route
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.route_text import way


def _named(slug: str, title: str, fix: str) -> Pattern:
    return Pattern.of(__doc__, __file__, slug=slug, title=title, fixes=(judgement(fix),))


CALL = _named("call-parameter", "Argument of a call that is not known", "call a known function, or reuse a buffer")
OTHER = _named(
    "other", "Allocates for a reason that is not known", "look at the whole chain: whyheap explain FILE:LINE"
)
PATTERNS = (CALL, OTHER)

_NO_WORD = "allocates, and the compiler does not say why"
NOT_ASKED = "allocates; its source was not read, so the reason is not known"
NAME_PACKAGES = judgement("name the packages, to learn the reason:  whyheap why ./... TARGET")
"""The way out where nothing was scanned; who knows what was looked at puts it in the place of TARGET."""
_NO_GO = (0, 0)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per heap fact: the judge takes those that no pattern claims."""
    for escape in context.escapes(evidence):
        pattern = CALL if escape.route is Route.CALL else OTHER
        message = way(escape) if escape.route is not Route.UNKNOWN else escape.reason or "escapes, with no flow to show"
        yield pattern.heap(evidence, escape, message, fixes=_fixes_at(evidence.site) if pattern is OTHER else ())


def silent(evidence: Evidence, context: Context, calls: tuple[AllocatorCall, ...] = ()) -> Finding:
    """Return the finding for bytes or allocator calls on a line of which no pattern and no heap fact speaks."""
    told: tuple[CompilerFact, ...] = tuple(fact for fact in evidence.facts if fact.kind is FactKind.STACK)[:1]
    names = ", ".join(dict.fromkeys(call.callee.removeprefix("runtime.") for call in calls))
    message = f"calls {names}, and the compiler does not say why" if names else _NO_WORD
    fixes = _fixes_at(evidence.site)
    if context.go_version == _NO_GO and not evidence.facts and not names:  # nothing was scanned
        message, fixes = NOT_ASKED, (NAME_PACKAGES,)
    subject = told[0].subject if told else evidence.site.function
    return OTHER.silent(evidence, subject, message, facts=told, calls=calls, fixes=fixes)


def _fixes_at(site: Site) -> tuple[Fix, ...]:
    """Return OTHER's way out with the line that it is about."""
    place = f"{site.file}:{site.line}"
    return tuple(replace(fix, title=fix.title.replace("FILE:LINE", place)) for fix in OTHER.fixes)
