"""The compiler's words about one heap value, read once for all patterns: what is allocated and how it gets away.

The reasons are those of cmd/compile/internal/escape (expr.go, call.go, assign.go: `k.note(n, "...")`, `e.spill`).
"""

from __future__ import annotations

import re
from enum import Enum, auto

from whyheap.model.facts import CompilerFact, FlowStep

_SIZE_REASONS = frozenset({"too large for stack", "too aligned for stack", "non-constant size", "zero-sized element"})
_MAP_REASONS = frozenset({"key of map put", "map literal value", "map literal key"})
_CONVERSION = re.compile(r"(?:string|\(?\[\](?:byte|rune|uint8|int32)\)?)\(")
_LITERAL = re.compile(
    r"""(?:"(?:[^"\\]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)+'"""
    r"""|-?(?:0[xXbBoO])?[\d_][\da-fA-F_]*(?:\.\d*)?(?:[eEpP][-+]?\d+)?i?|true|false)$""",
    re.DOTALL,
)
_TYPED_LITERAL = re.compile(r"""[\w./]+\((?:-?\d[\w.]*|"(?:[^"\\]|\\.)*"|true|false)\)$""", re.DOTALL)
_EMPTY_MAKE = re.compile(r"make\(\[\].*, 0(?:, 0)?\)$")
_STRING_OPERAND = re.compile(r'^"(?:[^"\\]|\\.)*" \+ | \+ "(?:[^"\\]|\\.)*"$| \+ "(?:[^"\\]|\\.)*" \+ ', re.DOTALL)
_NAME = re.compile(r"[^\W\d]\w*$")
_QUALIFIED = re.compile(r"[^\W\d]\w*\.[^\W\d]\w*$")


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
    REFERENCE = auto()  # captured by reference
    STARTED = auto()  # spilled straight to the heap: go, or defer in a loop
    CONTAINED = auto()  # part of other storage that escapes
    SIZE = auto()
    UNKNOWN = auto()


class Escape:
    """One heap fact, classified. `callee` is the function it is passed to, as printed; `target` where it is stored."""

    __slots__ = ("callee", "converted", "fact", "inferred", "never", "reason", "route", "storage", "subject", "target")

    def __init__(self, fact: CompilerFact, *, twin: bool = False) -> None:
        """Classify; `twin`: the same expression at the same place is already another fact, so this one boxes it."""
        self.fact = fact
        self.subject = fact.subject
        flow = fact.flow
        first = flow[0].steps if flow else ()
        self.converted = len(first) > 1 and first[1].reason == "interface-converted"
        self.inferred = False
        self.callee = ""
        self.target = ""
        last = next((one.steps[-1] for one in reversed(flow) if one.steps), None)
        self.reason = last.reason if last else ""
        self.storage = Storage.BOX if twin else self._stored()
        self.route = self._routed(first, last)
        self.never = _never(self.subject, self.storage)

    @property
    def is_variadic(self) -> bool:
        """Whether the value is an element of a variadic call's slice, or that slice itself."""
        return self.route is Route.VARIADIC or self.storage is Storage.ARGUMENTS

    def _stored(self) -> Storage:
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

    def _stored_expression(self, subject: str) -> Storage:
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
            if self.converted or _STRING_OPERAND.search(subject):
                return Storage.CONCATENATION
            if self.fact.flow and self.fact.flow[0].to == "{storage for ... argument}":
                return Storage.BOX
            self.inferred = True
            return Storage.CONCATENATION
        return Storage.BOX

    def _routed(self, first: tuple[FlowStep, ...], last: FlowStep | None) -> Route:
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
        if last.reason in _MAP_REASONS:
            self.target = last.expr
            return Route.MAP
        to = flow[-1].to
        if to == "{heap}":
            return self._to_heap(last)
        if to.startswith("~r"):
            return Route.RETURN
        if to.startswith("{storage for "):
            self.target = to[len("{storage for ") : -1]
            return Route.CONTAINED
        self.target = to
        return Route.RETURN if last.reason == "return" else Route.NAMED

    def _to_heap(self, last: FlowStep) -> Route:
        """Tell how it gets away when the last flow ends in {heap}."""
        if last.reason == "call parameter":
            if self.callee == "append":
                self.target = last.expr
                return Route.APPENDED
            return Route.CALL
        if last.reason == "send":
            self.target = last.expr.split(" <- ", 1)[0]
            return Route.SEND
        if last.reason.startswith("assign"):
            self.target = left_side(last.expr)
            return Route.ASSIGN
        return Route.STARTED if last.reason == "spill" else Route.UNKNOWN


def left_side(expr: str) -> str:
    """Return what is assigned to in a printed assignment; the first target of several."""
    target = re.split(r" :?= ", expr, maxsplit=1)[0]
    return target.split(", ", 1)[0] if "[" not in target and "(" not in target else target


def is_name(expr: str) -> bool:
    """Whether a printed expression is a bare or package-qualified name."""
    return bool(_NAME.match(expr))


def is_qualified(expr: str) -> bool:
    """Whether a printed expression is `a.b`."""
    return bool(_QUALIFIED.match(expr))


def is_typed_literal(subject: str) -> bool:
    """Whether a printed expression may be a constant of a named type, `T(1)`; a call `f(1)` looks the same."""
    return bool(_TYPED_LITERAL.match(subject))


def callee_of(expr: str) -> str:
    """Return the called function of a printed call: `fmt.Sprintf`, `keep`, `(*T).M`, `r.Read`; "" if it is no call."""
    depth = 0
    for i, char in enumerate(expr):
        if char in "[{":
            depth += 1
        elif char in "]}":
            depth -= 1
        elif char == "(" and depth == 0:
            if i == 0:
                end = closing(expr, 0)
                if end < 0 or not expr.startswith(").", end):
                    return ""
                opened = expr.find("(", end)
                return expr[:opened] if opened > 0 else ""
            return expr[:i]
    return ""


def closing(text: str, opened: int) -> int:
    """Return the index of the parenthesis that closes the one at `opened`, -1 if none; quoted text is skipped."""
    depth = 0
    quote = ""
    i = opened
    while i < len(text):
        char = text[i]
        if quote:
            if char == "\\" and quote != "`":
                i += 1
            elif char == quote:
                quote = ""
        elif char in "\"'`":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth == 0:
                return i
        i += 1
    return -1


def _last_callee(fact: CompilerFact) -> str:
    """Return the function of the last call that the value is passed to."""
    for flow in reversed(fact.flow):
        for step in reversed(flow.steps):
            if step.reason == "call parameter":
                return callee_of(step.expr)
    return ""


def _outer_plus(subject: str) -> bool:
    """Whether a + stands outside of all brackets and quotes."""
    i = 0
    while i < len(subject):
        char = subject[i]
        if char in "([{":
            i = closing(subject, i)
            if i < 0:
                return False
        elif char in "\"'`":
            end = _quoted_end(subject, i)
            if end < 0:
                return False
            i = end
        elif char == "+" and subject[i - 1 : i + 2] == " + ":
            return True
        i += 1
    return False


def _quoted_end(text: str, opened: int) -> int:
    """Return the index of the quote that closes the one at `opened`, -1 if none."""
    quote = text[opened]
    i = opened + 1
    while i < len(text):
        if text[i] == "\\" and quote != "`":
            i += 1
        elif text[i] == quote:
            return i
        i += 1
    return -1


def _never(subject: str, storage: Storage) -> bool:
    """Whether the value needs no memory of its own: a constant in static read-only data, or of size zero."""
    if storage is Storage.BOX:
        return bool(_LITERAL.match(subject)) or subject == "struct {}{}"
    if storage is Storage.MADE:
        return (subject.startswith("[]") and subject.endswith("{}")) or bool(_EMPTY_MAKE.match(subject))
    return storage is Storage.OBJECT and subject in ("&struct {}{}", "new(struct {})")


def concatenates(subject: str) -> bool:
    """Whether a printed expression is `a + b` at its outermost level."""
    return " + " in subject and _outer_plus(subject)


def converts(subject: str) -> bool:
    """Whether a printed expression converts between string and bytes or runes at its outermost level."""
    conversion = _CONVERSION.match(subject)
    return conversion is not None and closing(subject, conversion.end() - 1) == len(subject) - 1
