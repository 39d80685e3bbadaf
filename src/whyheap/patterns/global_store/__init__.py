"""Global store: a value is kept by a package-level variable, or handed to an atomic that others load it from.

What it is: the address of a value (or a slice, or a literal) is assigned to a variable of the package, or to a field
of one; or it is stored in an atomic.Pointer or atomic.Value. It can be reached from everywhere, so it cannot live on
a stack.

Why it costs: one allocation per assignment, and the object is live until the variable is overwritten: what is stored
here in a growing structure is never collected.

How to see it: a flow that ends in {heap} with the reason "assign" and a bare package-level name on the left; for
an atomic the reason "call parameter" at StorePointer, SwapPointer, CompareAndSwapPointer or a method of atomic.Value.

Fix: hold a value instead of a pointer (`var config Config`, then assign the struct); fill one object again instead of
making a new one; pass the value to those who need it instead of storing it.

When to leave it: it is set once, at start-up (flags, tables, a registry), or replaced as a whole under an atomic
pointer so that readers need no lock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Route
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.printed import is_name, without_types
from whyheap.patterns.route_text import clipped

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="global-store",
    title="Kept by a package-level variable or an atomic",
    fixes=(judgement("hold a value instead of a pointer, or fill the existing object again"),),
)
_ATOMIC = re.compile(
    r"(?:atomic\.|\(\*(?:atomic\.)?(?:Pointer|Value)\)\.)(?:[sS]tore|[sS]wap|[cC]ompareAndSwap)(?:Pointer)?$"
)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value assigned to a package-level variable, its fields or elements, or to an atomic."""
    for escape in context.escapes(evidence):
        if escape.route is Route.CALL and _ATOMIC.match(without_types(escape.callee)):
            yield PATTERN.heap(evidence, escape, "stored in an atomic")
            continue
        if escape.route is not Route.ASSIGN:
            continue
        # Only a package-level variable reaches {heap} under a bare name: a local one would be a step of the flow.
        if is_name(escape.target):
            yield PATTERN.heap(evidence, escape, f"stored in package-level {escape.target}")
            continue
        base = escape.target.lstrip("*(").partition(".")[0].partition("[")[0]
        if base and context.is_package_variable(evidence, base):
            message = f"stored in package-level {clipped(escape.target)}"
            yield PATTERN.heap(evidence, escape, message, inferred=True)
