"""Where a flow ends that ends in the name of a variable: why that variable outlives the value's own storage.

cmd/compile/internal/escape/escape.go, `outlives` (Go 1.22 to 1.27): a variable outlives a value when it is a result
or on the heap itself, when it is declared outside of the value's loop, or in a function around the closure that makes
the value.
"""

from __future__ import annotations

from enum import Enum, auto

from whyheap.model.evidence import Evidence
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Escape, Route


class End(Enum):
    """What the last variable of a flow is to the value."""

    RESULT = auto()
    HEAP_VARIABLE = auto()
    AROUND_CLOSURE = auto()
    AROUND_LOOP = auto()


def holder(escape: Escape) -> str:
    """Return the variable that a flow ends in, or the last one before a temporary."""
    captured = _captured(escape)
    if captured or not escape.target.startswith((".autotmp", "{temp}")):
        return captured or escape.target
    sources = (flow.from_.lstrip("&*") for flow in reversed(escape.fact.flow))
    return next((name for name in sources if name[:1].isalpha()), "a variable")


def end(evidence: Evidence, context: Context, escape: Escape) -> End | None:  # noqa: PLR0911 - one return per end
    """Tell what the variable that a flow ends in is; None for an escape that ends elsewhere."""
    if escape.route is Route.RETURN:
        return End.RESULT
    captured, file, line = _captured(escape), context.file(evidence), evidence.site.line
    if escape.route is not Route.NAMED and not captured:
        return None
    target = holder(escape)
    if ".~r" in target or target.startswith("#rv") or (file is None and target == "err"):  # #rv1: of a range function
        return End.RESULT
    if file is not None and target in file.result_names(line):
        return End.RESULT
    if _is_moved(evidence, context, escape, target):
        return End.HEAP_VARIABLE
    if captured:
        return End.AROUND_CLOSURE
    if file is None or file.loop(line) is not None:
        return End.AROUND_LOOP
    if "." in target:  # inlined: its own "moved to heap" stands at the inlined function
        return End.HEAP_VARIABLE
    return End.AROUND_CLOSURE if target in file.outer_locals(line) else End.AROUND_LOOP


def _is_moved(evidence: Evidence, context: Context, escape: Escape, name: str) -> bool:
    """Whether the variable is one of the functions around the value that the compiler moved to the heap."""
    if context.said.is_moved(escape.fact.package, escape.fact.function, name):
        return True
    file = context.file(evidence)
    if file is not None and name not in file.locals(evidence.site.line):
        return context.said.is_moved_somewhere(escape.fact.package, name)
    around = file.functions(evidence.site.line)[-1:] if file is not None else []
    lines = context.said.moved_lines(evidence.site.file, name)
    return any(node.range().start.line < line <= node.range().end.line + 1 for node in around for line in lines)


def _captured(escape: Escape) -> str:
    """Return the variable that a closure shares with the function around it, if the flow ends in one."""
    last = escape.fact.flow[-1] if escape.fact.flow else None
    if escape.route is not Route.CONTAINED or last is None or not last.steps or last.steps[-1].reason != "reference":
        return ""
    return last.from_.lstrip("&*")
