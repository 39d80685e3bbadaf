"""The compiler's flow in plain English: one sentence a step, from the value to what keeps it.

The reasons are those of cmd/compile/internal/escape (`from EXPR (REASON)` lines of -m=2), Go 1.22 to 1.27. A reason
that is not in the table is passed on in the compiler's own words. Nothing is escaped here: renderers do that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from whyheap.model.evidence import Agreement
from whyheap.model.facts import FactKind
from whyheap.model.finding import Certainty
from whyheap.model.site import Position
from whyheap.report.visible_text import cut_middle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from whyheap.model.facts import CompilerFact, Flow, FlowStep
    from whyheap.model.finding import Finding

LONGEST_EXPRESSION: Final = 56
"""Expressions of the target are cut in the middle beyond this many characters."""

HEAP: Final = "{heap}"

SENTENCES: Final[dict[str, str]] = {
    "address-of": "the address of {bare} is taken",
    "indirection": "what {expr} points to is read",
    "dot": "{expr} is a part of it",
    "dot of pointer": "{expr} is reached through a pointer",
    "fixed-array-index-of": "{expr} is an element of it",
    "slice": "{expr} is a slice of it",
    "slice-to-array": "{expr} copies the slice into an array",
    "interface-converted": "{expr} is stored in an interface",
    "captured by a closure": "a func literal captures {expr}",
    "reference": "the capture is by reference: it holds the address of {expr}",
    "assign": "{holds}",
    "assign-pair": "{holds}",
    "assign-pair-dot-type": "{holds}",
    "assign-pair-mapr": "{holds}",
    "assign-pair-receive": "{holds}",
    "return": "{function} returns it to its caller",
    "send": "it is sent on a channel: the receiver may live longer",
    "range": "the loop hands it out: {expr}",
    "range-deref": "the loop reads it through a pointer: {expr}",
    "switch case": "a case of the switch holds it: {expr}",
    "call parameter": "{call}",
    "callee operand": "it is the func value that {expr} calls: which code runs is not known",
    "appendee slice": "append carries the old elements over",
    "appended slice...": "append copies the elements of the added slice",
    "copied slice": "copy copies the elements",
    "array literal element": "it is an element of the array {expr}",
    "slice-literal-element": "it is an element of the slice {expr}",
    "struct literal element": "it is a field of the struct {expr}",
    "map literal key": "it is a key of the map {expr}: a map's keys are on the heap",
    "map literal value": "it is a value of the map {expr}: a map's values are on the heap",
    "key of map put": "it is a key of the map in {expr}: a map's keys are on the heap",
    "too large for stack": "{expr} is too large for the stack",
    "too aligned for stack": "{expr} needs a stricter alignment than the stack gives",
    "non-constant size": "the size of {expr} is not known when compiling",
    "zero-sized element": "the elements of {expr} have no size",
    "conversion to unsafe.Pointer": "{expr} becomes an unsafe.Pointer: the compiler cannot follow it",
    "//go:uintptrescapes": "the callee is marked //go:uintptrescapes: it keeps the pointer behind {expr}",
    "reflect.Header.Data": "{expr} goes through a slice or string header: the compiler cannot follow it",
}
"""Every reason of the compiler but `spill`, whose sentence depends on the expression."""

VARIADIC: Final = "... argument"
_CALLEE: Final = re.compile(r"((?:\([^()]{1,200}\)\.)?[^\s()\"'`{}]{1,200})\(")
_BOXED: Final = "is stored in an interface"
_BOXING: Final = frozenset({"interface-boxing", "variadic-any", "pool-boxing", "map-storage", "channel-send"})
_COMPILERS_OWN: Final = (".autotmp", "~r", "~p", "#rv")
_CONVERSION: Final = re.compile(r"(string|\[\](byte|rune|uint8|int32))\(")
_SELECTOR: Final = re.compile(r"\S+\.[^\W\d]\w*")
_QUALIFIED: Final = re.compile(r"[^\W\d]\w*\.[^\W\d]\w*")
_STORAGE: Final = re.compile(r"&?\{storage for (.*)\}", re.DOTALL)
_SPILLED_BY: Final = {
    "method-value": "{expr} is bound to its receiver: a small closure",
    "string-concatenation": "{expr} needs room for the joined string",
    "string-conversion": "{expr} copies the bytes",
}
_MADE_BY: Final = {
    "string-concatenation": "the joined string",
    "string-conversion": "the copy",
    "method-value": "the closure",
}
_STORES: Final = {
    "global-store": "in a package-level variable",
    "map-storage": "in a map",
    "pointer-store": "behind a pointer",
}
_OPAQUE_CALLS: Final = {
    "call-parameter": "{callee} may keep it: which code the call runs is not known when compiling",
    "interface-method-argument": "{callee} is called through an interface: it may keep it, so the compiler assumes so",
    "indirect-call-argument": "{callee} is a func value: it may keep it, so the compiler assumes so",
    "type-parameter-method": "{callee} is a method of a type parameter: it may keep it, so the compiler assumes so",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One step in plain English, and where it happens in the source.

    `reason` is the compiler's own, `to` where the flow ends that this step is the last of; empty for other steps.
    """

    text: str
    at: Position
    reason: str = ""
    to: str = ""


def chain(fact: CompilerFact, pattern: str = "") -> tuple[Sentence, ...]:
    """Say the flow of one compiler fact, a sentence a step. `pattern` is the slug that a finding gave it, if any.

    A fact without a flow gives its message, in the compiler's words.
    """
    sentences = tuple(_steps(fact, pattern))
    if sentences or not fact.message:
        return sentences
    return (Sentence(f"the compiler says: {_short(fact.message)}", fact.site),)


def conclusion(fact: CompilerFact, pattern: str = "") -> str:
    """Say what follows: "so n must outlive renderRow: it is copied to the heap"; "" for verdicts other than heap."""
    if fact.kind is not FactKind.HEAP:
        return ""
    subject = "the result" if fact.subject.startswith("~r") else _short(fact.subject) or "it"
    function = _short(fact.function) or "the function"
    reasons = fact.reasons
    if any(reason.startswith(("too ", "non-constant")) for reason in reasons):
        return f"so {subject} is allocated on the heap"
    owner = _STORAGE.fullmatch(fact.flow[-1].to) if fact.flow else None
    if owner is not None:
        return f"so {_named(fact.subject) or subject} goes to the heap together with {_named(owner[1])}"
    if fact.message.startswith("moved to heap"):
        return f"so {subject} must outlive {function}: the variable is moved to the heap"
    if _is_boxed(fact, pattern):
        return f"so {subject} must outlive {function}: it is copied to the heap"
    made = _MADE_BY.get(pattern) or _named(fact.subject)
    return f"so {made} must outlive {function}: it is allocated on the heap"


_INSTEAD: Final = {
    "zero-size": ": size zero",
    "constant": ": read-only data",
    "small-value": ": the runtime has it ready",
    "no-code": ": no code is left of it",
}
"""What a line does in place of allocating, as parse/machine_code/line_notes.py tells."""


def headline(finding: Finding) -> str:
    """Give the reason of one finding in a few words, and the contradiction where witnesses disagree."""
    reason = finding.message or _own_headline(finding)
    said_already = any(words in reason for words in ("anyway", "does not escape", "the compiler", "was not read"))
    if finding.agreement is Agreement.ALLOCATES_SILENTLY and not said_already:
        denied = any("does not escape" in fact.message for fact in finding.facts)
        return f'{reason} ("does not escape", allocates anyway)' if denied else f"{reason} (the compiler is silent)"
    if finding.agreement is Agreement.NEVER_ALLOCATES:
        instead = _INSTEAD.get(finding.labels.get("instead", ""), "")
        return f"{reason}, but never allocates{instead}"
    if finding.pattern.startswith("rule:") and finding.certainty is Certainty.INFERRED:
        return f"{reason} (a candidate: syntax alone)"
    return reason


def _own_headline(finding: Finding) -> str:
    if not finding.facts:
        return finding.pattern.replace("-", " ")
    sentences = chain(finding.facts[0], finding.pattern)
    return sentences[-1].text if sentences else finding.pattern.replace("-", " ")


def _steps(fact: CompilerFact, pattern: str) -> Iterator[Sentence]:
    said, last = "", ""
    for flow in fact.flow:
        for index, step in enumerate(flow.steps):
            text = _sentence(step, flow, fact, pattern, is_first=index == 0)
            if step.expr == said and step.reason == "interface-converted":
                text = "it is stored in an interface"
            said = step.expr
            if text and text != last:
                last = text
                ends = flow.to if index == len(flow.steps) - 1 else ""
                yield Sentence(text, Position(step.file, step.line, step.column), step.reason, ends)


def _sentence(step: FlowStep, flow: Flow, fact: CompilerFact, pattern: str, *, is_first: bool) -> str:
    if step.reason == "spill":
        return _spill(step, flow, pattern)
    if step.reason == "slice-literal-element" and step.expr == VARIADIC:
        first_word = "the interface" if _is_boxed(fact, pattern) else "it"
        return f"{first_word} goes into the argument slice"
    template = SENTENCES.get(step.reason)
    if template is None:
        return f"{_short(step.expr)} ({step.reason})" if step.expr else step.reason
    words = {
        "expr": _short(step.expr),
        "bare": _short(step.expr.removeprefix("&")),
        "holds": _holds(step, flow, pattern),
        "call": _call(step, pattern),
        "function": _short(fact.function) or "the function",
    }
    text = template.format_map(words)
    return text if not is_first or not text.startswith("it ") else f"{_named(_source(flow))} {text[3:]}"


def _spill(step: FlowStep, flow: Flow, pattern: str) -> str:
    """Say what the expression itself allocates; "" where the next step says it better."""
    expr = step.expr
    short = _short(expr)
    by_form = (
        (expr == VARIADIC, ""),
        (expr.startswith("func literal"), "the func literal and what it captures need a place: a closure"),
        (expr.startswith("&"), f"{short} makes a new value and takes its address"),
        (expr.startswith("new("), f"{short} makes a new value"),
        (expr.startswith("append("), "append makes a larger array when the old one is full"),
        (_CONVERSION.match(expr) is not None, f"{short} copies the bytes"),
        (_made(expr) != "", f"{short} makes a new {_made(expr)}"),
        (pattern in _SPILLED_BY, _SPILLED_BY.get(pattern, "").format(expr=short)),
        (_may_be_method_value(expr, flow, pattern), f"{short} is stored in an interface, or bound to its receiver"),
    )
    value = "the result" if expr.startswith("~r") else short
    return next((text for matches, text in by_form if matches), f"{value} {_BOXED}")


def _made(expr: str) -> str:
    """Name what a make or a literal makes: a slice, map or channel; "" for other expressions."""
    is_literal = expr.endswith("}") and expr.startswith(("[]", "map["))
    if not is_literal and not expr.startswith("make("):
        return ""
    made = expr.removeprefix("make(")
    return "map" if made.startswith("map[") else "channel" if made.startswith(("chan", "<-chan")) else "slice"


def _may_be_method_value(expr: str, flow: Flow, pattern: str) -> bool:
    """Whether `x.f` may be a method value: the compiler prints it as it prints a boxed field."""
    is_argument = VARIADIC in flow.to
    return not is_argument and pattern not in _BOXING and _SELECTOR.fullmatch(expr) is not None


def _is_boxed(fact: CompilerFact, pattern: str) -> bool:
    first = next(((step, flow) for flow in fact.flow for step in flow.steps), None)
    return first is not None and first[0].reason == "spill" and _spill(*first, pattern).endswith(_BOXED)


def _holds(step: FlowStep, flow: Flow, pattern: str) -> str:
    """Say where an assignment puts the value: the flow's left side, or the statement itself when that is the heap."""
    if flow.to == HEAP:
        return f"it is stored {_STORES.get(pattern, 'where it may outlive the function')}: {_short(step.expr)}"
    if flow.to.startswith("~r"):
        return "an inlined call returns it"
    if step.reason == "assign-pair" and ":=" in step.expr and _QUALIFIED.fullmatch(flow.to):
        return f"it is passed into an inlined call, as {_short(flow.to)}"
    place = _named(flow.to)
    return "" if place in ("it", _named(flow.from_)) else f"it is stored in {place}"


def _call(step: FlowStep, pattern: str) -> str:
    match = _CALLEE.match(step.expr)
    callee = _short(match[1]) if match else _short(step.expr)
    if callee == "append":
        return "append puts it into a slice that outlives it"
    return _OPAQUE_CALLS.get(pattern, "{callee} keeps it").format(callee=callee)


def _source(flow: Flow) -> str:
    """Name what flows, without its mark: `&{storage for n}` is n."""
    storage = _STORAGE.fullmatch(flow.from_)
    return storage[1] if storage else flow.from_.lstrip("&*")


def _named(place: str) -> str:
    storage = _STORAGE.fullmatch(place)
    if storage:
        return _named(storage[1])
    if place == VARIADIC:
        return "the argument slice"
    if place.startswith("append("):
        return "the new array"
    if place.startswith("func literal"):
        return "the func literal"
    if _made(place):
        return f"the new {_made(place)}"
    return "it" if place in ("", "{temp}") or place.startswith(_COMPILERS_OWN) else _short(place)


def _short(expression: str) -> str:
    return cut_middle(" ".join(expression.split()), LONGEST_EXPRESSION)
