"""Leaking parameter: a function keeps what it is given, so its callers' values go to the heap.

What it is: a pointer, slice or closure is passed to a known function that stores it, returns it into something kept,
or hands it on to an interface. The compiler notes "leaking param" at the callee, and each caller pays for it.

Why it costs: one allocation at every call site whose argument could have lived on the stack: one leaking parameter
can be the root of dozens of sites.

How to see it: the flow ends in {heap} with the reason "call parameter" at a call to a named function; the callee has
"leaking param: p" or "leaking param content: p", with its own flow that says where p goes. A function without a Go
body (assembly, linkname) leaks everything unless it is marked noescape, and so does panic.

Fix: change the callee, if it is yours: copy what it keeps, split the rare path that keeps the pointer into a function
of its own, take a value; or give it an inlinable front so that the caller's frame can own the object. For a function
of std or a dependency: pass one value again and again (a field, a sync.Pool), or a copy on the rare path alone.

When to leave it: keeping the argument is the function's purpose (a constructor, a queue, a registry).
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.facts import CompilerFact
from whyheap.model.finding import Finding, Fix
from whyheap.patterns.callee import Called, Callee, callee
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Escape, Route
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.printed import arguments_of, left_side, without_types
from whyheap.patterns.route_text import clipped

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="leaking-parameter",
    title="Passed to a function that keeps it",
    fixes=(judgement("change the callee so that it copies what it keeps"),),
)
_OF_OTHERS = (judgement("pass a value that is used again (a field, a pool), or a copy where the call is rare"),)
_PANIC = (judgement("return an error instead, or make the value once, if this is not only on the way to a crash"),)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value passed to a known function that keeps it, naming its parameter where it is known."""
    for escape in context.escapes(evidence):
        if escape.route is not Route.CALL:
            continue
        called = callee(evidence, context, escape)
        if called.called is Called.FUNCTION:
            name, words = _parameter(evidence, context, escape, called)
            message = f"passed to {clipped(called.name)}" + (f", {words}" if words else ", which may keep it")
            fixes = _fixes(called, name, is_scanned=_is_scanned(evidence, context, called))
            yield PATTERN.heap(evidence, escape, message, fixes=fixes, inferred=not called.certain)


def _fixes(called: Callee, parameter: str, *, is_scanned: bool) -> tuple[Fix, ...]:
    if called.name == "panic":
        return _PANIC
    if not is_scanned:
        return _OF_OTHERS
    return (judgement(f"change {clipped(called.name)} so that it copies {parameter or 'what it keeps'}"),)


def _is_scanned(evidence: Evidence, context: Context, called: Callee) -> bool:
    """Whether a function is of the code that is looked at, and not of std or a dependency."""
    if context.said.leaks(called.name, evidence.site.package):
        return True
    owner = called.name.rpartition(".")[0]
    is_type = owner.startswith("(") or not owner[:1].islower()  # else a package
    return is_type and "." not in owner


def _parameter(evidence: Evidence, context: Context, escape: Escape, called: Callee) -> tuple[str, str]:
    """Return the callee's parameter that takes the value, and the compiler's words about it; empty if not known."""
    leaks = context.said.leaks(called.name, evidence.site.package)
    if not leaks or _through_another_field(escape, called):
        return "", ""
    fact = next(iter(leaks.values()))
    if len(leaks) > 1:
        index = _index(escape, called)
        declared = context.declarations(fact.site.file)
        names = declared.parameters(_symbol(called.name, fact)) if declared is not None else []
        name = names[min(index, len(names) - 1)] if names and index >= 0 else ""
        if name not in leaks:
            return "", ""
        fact = leaks[name]
    return fact.subject, fact.message


def _through_another_field(escape: Escape, called: Callee) -> bool:
    """Whether the value is kept in one field of a struct and another one is passed: the compiler knows no fields."""
    flow = next((one for one in escape.fact.flow if called.step in one.steps), None)
    stored = [
        left_side(step.expr, one.from_) for one in escape.fact.flow for step in one.steps if step.reason == "assign"
    ]
    passed = [step.expr for step in flow.steps if step.reason == "dot"] if flow is not None else []
    held = [one for one in stored if flow is not None and one.startswith(f"{flow.from_}.")]
    return any(
        not f"{one}.".startswith(f"{other}.") and not f"{other}.".startswith(f"{one}.")
        for one in held
        for other in passed
    )


def _symbol(callee: str, fact: CompilerFact) -> str:
    """Return a function as its package declares it, `F` or `T.M`."""
    return without_types(fact.function or callee).replace("(*", "").replace(")", "")


def _index(escape: Escape, called: Callee) -> int:
    """Return which argument of the printed call the value is, -1 if that cannot be told."""
    if called.step is None:
        return -1
    arguments = [one for one in arguments_of(called.step.expr) if not one.startswith("&.dict.")]
    flow = next(one for one in reversed(escape.fact.flow) if called.step in one.steps)
    before = flow.steps[: flow.steps.index(called.step)]
    wanted = [step.expr for step in reversed(before)] or [flow.from_.lstrip("&*")]
    places = [arguments.index(one) for one in wanted if arguments.count(one) == 1]
    variadic = [index for index, one in enumerate(arguments) if one.startswith("... argument")]
    return next(iter(places or (variadic if wanted[0] == "... argument" else [])), -1)
