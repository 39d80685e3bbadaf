"""The compiler's words about one heap value, read once for all patterns: what is allocated and how it gets away.

The reasons are those of cmd/compile/internal/escape (expr.go, call.go, assign.go: `k.note(n, "...")`, `e.spill`).
"""

from __future__ import annotations

import re
from enum import Enum, auto

from whyheap.model.facts import AllocatorCall, CompilerFact, FlowStep
from whyheap.patterns.printed import callee_of, concatenates, converts, has_text_operand, is_literal, left_side

_SIZE_REASONS = frozenset({"too large for stack", "too aligned for stack", "non-constant size", "zero-sized element"})
_SLICE_REASONS = frozenset({"appendee slice", "appended slice...", "copied slice"})
_MAP_REASONS = frozenset({"key of map put", "map literal value", "map literal key"})
_ZERO_SIZED = frozenset(
    [
        "struct {}{}",
        "context.backgroundCtx{}",  # context/context.go
        "context.todoCtx{}",
        "binary.BigEndian",  # encoding/binary/binary.go
        "binary.LittleEndian",
        "http.NoBody",  # net/http/http.go
    ]
)
"""Values that the standard library boxes everywhere and that have size zero (Go 1.22 to 1.27)."""
_LEAVING = frozenset({"return", "call parameter", "captured by a closure", "reference", "send"})
_EMPTY_MAKE = re.compile(r"make\(\[\].*, 0(?:, 0)?\)$|make\(\[\]struct \{\}, ")


class Storage(Enum):
    """What the compiler puts on the heap."""

    VARIABLE = auto()  # a declared variable: "moved to heap: x"
    OBJECT = auto()  # new(T), &T{...}
    MADE = auto()  # make and slice literals
    MAP = auto()  # a map itself
    APPEND = auto()
    CLOSURE = auto()
    ARGUMENTS = auto()  # the slice of a variadic call
    CONCATENATION = auto()
    CONVERSION = auto()  # between string and bytes or runes
    BOX = auto()  # the copy behind an interface
    METHOD = auto()  # the closure of a bound method, `x.M` as a value


class Route(Enum):
    """How the value outlives its function."""

    RETURN = auto()
    NAMED = auto()  # a named result, or a variable of an outer loop
    ASSIGN = auto()  # {heap} by assignment: `target` is the left side
    CALL = auto()
    APPENDED = auto()  # {heap} as an element of append
    VARIADIC = auto()  # an element of a variadic call's slice
    MAP = auto()
    SEND = auto()
    METHOD = auto()  # the receiver of a bound method value
    REFERENCE = auto()  # captured by reference
    STARTED = auto()  # spilled straight to the heap: go, or defer in a loop
    CONTAINED = auto()  # part of other storage that escapes
    SIZE = auto()
    UNKNOWN = auto()


class Escape:
    """One heap fact, classified. `callee` is the function it is passed to, as printed; `target` where it is stored.

    `calls` are the allocator calls of its line that can be its, None when no machine code was read.
    """

    __slots__ = (
        "callee",
        "calls",
        "converted",
        "fact",
        "inferred",
        "never",
        "reason",
        "route",
        "storage",
        "subject",
        "target",
    )

    def __init__(self, fact: CompilerFact, *, twin: bool = False) -> None:
        """Classify; `twin`: the same expression at the same place is already another fact, so this one boxes it."""
        self.fact = fact
        self.subject = fact.subject
        flow = fact.flow
        first = flow[0].steps if flow else ()
        self.converted = len(first) > 1 and first[1].reason == "interface-converted"
        self.inferred = False
        self.calls: tuple[AllocatorCall, ...] | None = None
        self.callee = ""
        self.target = ""
        last = next((one.steps[-1] for one in reversed(flow) if one.steps), None)
        self.reason = last.reason if last else ""
        self.storage = Storage.BOX if twin else self._stored()
        self.route = self._routed(first, last)
        self.never = _never(self.subject, self.storage) or self.reason == "zero-sized element"

    @property
    def is_variadic(self) -> bool:
        """Whether the value is an element of a variadic call's slice, or that slice itself."""
        return self.route is Route.VARIADIC or self.storage is Storage.ARGUMENTS

    def _stored(self) -> Storage:  # noqa: PLR0911 - a table of words, one return each
        """Tell what is allocated, from the message and the printed expression."""
        message, subject = self.fact.message, self.subject
        if message.startswith("moved to heap"):
            return Storage.VARIABLE
        if message.startswith("append ") or subject.startswith("append("):
            return Storage.APPEND
        if subject == "... argument":
            return Storage.ARGUMENTS
        if subject.startswith("func literal"):
            return Storage.CLOSURE
        if subject.startswith(("&", "new(", "make(chan ", "make(<-chan ")):
            return Storage.OBJECT
        if subject.startswith("make("):
            # make(T) with one argument is a map (channels were handled above): slices need a length.
            return Storage.MAP if subject.startswith("make(map[") or ", " not in subject else Storage.MADE
        return self._stored_expression(subject)

    def _stored_expression(self, subject: str) -> Storage:  # noqa: PLR0911 - as _stored
        """Tell literals, concatenations and conversions from boxed values."""
        if subject.endswith("}") and not subject.startswith(("struct {", '"')):
            if subject.startswith("map["):
                return Storage.MAP
            if subject.startswith(("[]", "go.shape.[]")):
                return Storage.MADE
            if self.converted and not subject.startswith("["):
                return Storage.MADE  # a named slice or map type: a struct literal is spilled only by its boxing
            return Storage.BOX
        if converts(subject):
            # string(b) of a named string is no conversion at run time: what is spilled is then the box.
            lonely = self.fact.flow and self.fact.flow[0].to == "{storage for ... argument}" and not self.converted
            return Storage.BOX if lonely else Storage.CONVERSION
        if concatenates(subject):
            if self.converted or has_text_operand(subject):
                return Storage.CONCATENATION
            if self.fact.flow and self.fact.flow[0].to == "{storage for ... argument}":
                return Storage.BOX
            self.inferred = True
            return Storage.CONCATENATION
        return Storage.BOX

    def _routed(self, first: tuple[FlowStep, ...], last: FlowStep | None) -> Route:  # noqa: PLR0911 - as _stored
        """Tell how it gets away, from the first and the last step of the flow."""
        flow = self.fact.flow
        if not flow or last is None:
            return Route.UNKNOWN
        self.callee = _last_callee(self.fact)
        if first and first[0].reason in _SIZE_REASONS:
            return Route.SIZE
        if first and first[-1].reason == "reference":
            return Route.REFERENCE
        if flow[0].to == "{storage for ... argument}":
            return Route.VARIADIC
        inside = _holder(self.fact)
        if inside is not None:
            self.target, self.reason = inside
            return Route.CONTAINED  # whatever becomes of the value that holds it
        if _is_returned(self.fact):
            return Route.RETURN  # whatever its caller does with it
        if last.reason in _MAP_REASONS:
            self.target = last.expr
            return Route.MAP
        to = flow[-1].to
        if to == "{heap}" or (to == "{temp}" and last.reason == "call parameter"):
            return self._to_heap(last)
        if to.startswith("~r"):
            return Route.RETURN
        if to.startswith("{storage for "):
            self.target = to[len("{storage for ") : -1]
            return Route.CONTAINED
        self.target = to
        return Route.RETURN if last.reason == "return" else Route.NAMED

    def _to_heap(self, last: FlowStep) -> Route:  # noqa: PLR0911 - as _stored
        """Tell how it gets away when the last flow ends in {heap}."""
        if not self.fact.flow[-1].steps and last.reason != "call parameter":
            return Route.METHOD  # expr.go, OMETHVALUE: the receiver flows to the closure and, untold, to the heap
        if last.reason == "call parameter":
            if self.callee == "append":
                self.target = last.expr
                return Route.APPENDED
            return Route.CALL
        if last.reason in _SLICE_REASONS:
            self.target = last.expr
            return Route.APPENDED
        if last.reason == "send":
            self.target = last.expr.split(" <- ", 1)[0]
            return Route.SEND
        if last.reason.startswith("assign"):
            self.target = left_side(last.expr, self.fact.flow[-1].from_)
            return Route.ASSIGN
        return Route.STARTED if last.reason == "spill" else Route.UNKNOWN


def _holder(fact: CompilerFact) -> tuple[str, str] | None:
    """Return the expression that holds the value before the flow goes on with that one, and why it does."""
    if not fact.flow or fact.flow[-1].to.startswith("{storage for "):
        return None
    for flow in fact.flow[:-1]:
        if not flow.to.startswith("{storage for "):
            continue
        held = flow.to[len("{storage for ") : -1]
        if held not in (fact.subject, "... argument") and flow.steps:
            return held, flow.steps[-1].reason
    return None


def _is_returned(fact: CompilerFact) -> bool:
    """Whether the value leaves its own function by a return statement, before it goes anywhere else."""
    steps = (step.reason for flow in fact.flow for step in flow.steps)
    return next((reason for reason in steps if reason in _LEAVING), "") == "return"


def _last_callee(fact: CompilerFact) -> str:
    """Return the function of the last call that the value is passed to."""
    for flow in reversed(fact.flow):
        for step in reversed(flow.steps):
            if step.reason == "call parameter":
                return callee_of(step.expr)
    return ""


def _never(subject: str, storage: Storage) -> bool:
    """Whether the value needs no memory of its own: a constant in static read-only data, or of size zero."""
    if storage is Storage.BOX:
        return is_literal(subject) or subject in _ZERO_SIZED
    if storage is Storage.MADE:
        return (subject.startswith("[]") and subject.endswith("{}")) or bool(_EMPTY_MAKE.match(subject))
    return storage is Storage.OBJECT and subject in ("&struct {}{}", "new(struct {})")
