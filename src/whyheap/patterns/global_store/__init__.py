"""Global store: a value is kept by a package-level variable.

What it is: the address of a value (or a slice, or a literal) is assigned to a variable of the package, or to a field
of one. It can be reached from everywhere for as long as the program runs, so it cannot live on a stack.

Why it costs: one allocation per assignment, and the object is live until the variable is overwritten: what is stored
here in a growing structure is never collected.

How to see it: a flow that ends in {heap} with the reason "assign" and a bare package-level name on the left.

Fix: hold a value instead of a pointer (`var config Config`, then assign the struct); fill one object again instead of
making a new one; pass the value to those who need it instead of storing it.

When to leave it: it is set once, at start-up (flags, tables, a registry), or replaced as a whole under an atomic
pointer so that readers need no lock.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Route
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.printed import is_name
from whyheap.patterns.route_text import clipped

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="global-store",
    title="Kept by a package-level variable",
    fixes=(judgement("hold a value instead of a pointer, or fill the existing object again"),),
)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value assigned to a package-level variable, its fields or elements."""
    for escape in context.escapes(evidence):
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
