"""The compiler's diagnostics as text: what `-gcflags=-m=2` prints, of Go 1.22 to 1.27.

The grammar is in cmd/compile/internal: escape/escape.go (finish, paramTag, reportLeaks), escape/solve.go (explainPath,
explainFlow), inline/inl.go, walk/expr.go and devirtualize/devirtualize.go; seen in Go 1.22.10, 1.24.11, 1.25.5, 1.26.6
and 1.27.3. Two dialects: up to 1.24 `X escapes to heap:` and `flow: A = B`, since 1.25 `X escapes to heap in F:` and
`flow: A <- B` with an arrow.

Verdicts are buffered and sorted by the compiler while explanations are printed at once, so the two are joined here: an
explanation belongs to the verdict at the same position about the same expression.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from whyheap.model.facts import CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.site import Position

_HEADER = re.compile(r"^# (\S+)(?: \[(\S+)\])?$")
_POSITION = re.compile(r"^([^:]+):(\d+)(?::(\d+))?: ")
_UNPLACED = "<unknown line number>"

_HEAP_HEADER = re.compile(r"^(.+) escapes to heap(?: in (.+))?:$", re.DOTALL)
_LEAK_HEADER = re.compile(r"^parameter (.+) leaks to (\{.+\}|.+?)(?: for (.+))? with derefs=(\d+):$", re.DOTALL)
# Needed where an expression holds the separator: `flow: {storage for "a = b" + c} = &x:`
_FLOW = re.compile(r"^(\{.+?\}|[^{].*?) (?:=|←) ([&*]*(?:\{.+\}|\S+))$", re.DOTALL)
_STEP_POSITION = re.compile(r"^([^:]+):(\d+)(?::(\d+))?$")
_CAN_INLINE = re.compile(r"^can inline (.+?) with cost \d+ as: ", re.DOTALL)
_CANNOT_INLINE = re.compile(r"^cannot inline (.+?): ", re.DOTALL)
_TO_RESULT = re.compile(r"^leaking param: (.+) to result (\S+) level=-?\d+$")
_CAPTURE = re.compile(r"^(.+) capturing by (?:value|ref): ", re.DOTALL)
_BIG = re.compile(r"^function .+ considered 'big'; ")
_ARROW = " ← "
_APPEND = "append"  # since 1.25 verdicts on append do not repeat its arguments

_OTHER_ENDS = (" is unsafe uintptr", " as escaping uintptr", " as escaping ...uintptr", " be converted to a tail call")
_OTHER_STARTS = ("devirtualizing ", "cannot devirtualize ", "partially devirtualizing ", "PGO devirtualizing ")
_OTHER_WORDS = frozenset({"zero-copy string->[]byte conversion", "imprecise interface call"})


@dataclass(frozen=True, slots=True)
class Block:
    """What the compiler printed for one package: `variant` is "p.test" in `# p [p.test]`, else empty."""

    package: str
    variant: str
    lines: Iterable[str]


@dataclass(slots=True)
class _Explanation:
    """An explanation on its way to its verdict; `subject`, `function`, `target` and `derefs` as in its header."""

    text: str
    subject: str
    function: str
    target: str
    derefs: int
    flows: list[tuple[str, str, list[FlowStep]]] = field(default_factory=list)
    taken: bool = False

    def flow(self) -> tuple[Flow, ...]:
        return tuple(Flow(to, from_, tuple(steps)) for to, from_, steps in self.flows)


@dataclass(frozen=True, slots=True)
class ParsedBlock:
    """Facts of one block; `starts` gives (file, line, column, function) where functions begin; `unknown` lines."""

    facts: tuple[CompilerFact, ...]
    starts: tuple[tuple[str, int, int, str], ...]
    unknown: tuple[str, ...]


def split_blocks(lines: Iterable[str]) -> Iterator[Block]:
    """Cut the output of one go command into blocks, as a stream: read a block's lines before asking for the next.

    Lines before the first header belong to package "".
    """
    source = iter(lines)
    following: list[re.Match[str]] = []

    def body() -> Iterator[str]:
        for line in source:
            header = _HEADER.match(line) if line.startswith("# ") else None
            if header is not None:
                following.append(header)
                return
            yield line

    package = variant = ""
    while True:
        rest = body()
        yield Block(package, variant, rest)
        for _ in rest:
            pass
        if not following:
            return
        header = following.pop()
        package, variant = header[1], header[2] or ""


def parse_block(block: Block, spell: Callable[[str], str]) -> ParsedBlock:
    """Turn a block into facts; `spell` maps a printed path to the contract's spelling."""
    return _BlockParser(block.package, spell).parse(block.lines)


class _BlockParser:
    """State of one block: open explanations by position and subject."""

    def __init__(self, package: str, spell: Callable[[str], str]) -> None:
        self._package = package
        self._spell = spell
        self._positions: dict[str, Position] = {}
        self._open: dict[tuple[str, str], deque[_Explanation]] = defaultdict(deque)
        self._waiting: dict[str, deque[_Explanation]] = defaultdict(deque)
        self._verdicts: list[tuple[str, str]] = []
        self._unknown: list[str] = []

    def parse(self, lines: Iterable[str]) -> ParsedBlock:
        self._read(lines)
        facts: list[CompilerFact] = []
        starts: list[tuple[str, int, int, str]] = []
        for at, text in self._verdicts:
            fact = self._fact(at, text)
            if fact is None:
                self._unknown.append(text if at == _UNPLACED else f"{at}: {text}")
                continue
            facts.append(fact)
            if fact.kind is FactKind.INLINE and fact.function:
                starts.append((fact.printed_at.file, fact.printed_at.line, fact.printed_at.column, fact.function))
        facts.extend(self._left_over())
        return ParsedBlock(tuple(facts), tuple(starts), tuple(self._unknown))

    def _read(self, lines: Iterable[str]) -> None:
        """Separate explanations from verdicts; each explanation's lines repeat its position."""
        explanation: _Explanation | None = None
        at = prefix = ""
        for line in lines:
            if explanation and line.startswith(prefix) and self._explain(explanation, line[len(prefix) - 2 :]):
                continue
            if not line:
                continue
            place = _POSITION.match(line)
            if place is None:
                at, text = _UNPLACED, line.removeprefix(_UNPLACED + ": ")
            else:
                at, text = place[0][:-2], line[place.end() :]
            explanation = self._header(text) if text.endswith(":") else None
            if explanation is not None:
                prefix = f"{at}:  "
                about = _APPEND if explanation.subject.startswith("append(") else explanation.subject
                self._open[at, about].append(explanation)
                if not explanation.target:
                    self._waiting[at].append(explanation)
            elif text.startswith(("  warning: truncated explanation", "go: ")):
                continue  # the go command's own words ("go: downloading ...") are no diagnostics
            else:
                self._verdicts.append((at, text))

    def _header(self, text: str) -> _Explanation | None:
        leak = _LEAK_HEADER.match(text) if text.startswith("parameter ") else None
        if leak is not None:
            return _Explanation(text, leak[1], leak[3] or "", leak[2], int(leak[4]))
        heap = _HEAP_HEADER.match(text)
        if heap is not None:
            return _Explanation(text, heap[1], heap[2] or "", "", 0)
        return None

    def _explain(self, explanation: _Explanation, text: str) -> bool:
        """Take one line of an explanation; `text` keeps its leading blanks. False if it is none."""
        if text.startswith("     from "):
            head, _, raw = text[10:].rpartition(") at ")
            expr, _, reason = head.rpartition(" (")
            if not explanation.flows or not reason:
                return False
            at = self._place(raw)
            explanation.flows[-1][2].append(FlowStep(expr, reason, at.file, at.line, at.column))
            return True
        if text.startswith("   flow: "):
            flow = _flow(text[9:-1])
            if flow is None:
                return False
            explanation.flows.append((*flow, []))
            return True
        return text.startswith("  warning: truncated explanation")

    def _place(self, raw: str) -> Position:
        position = self._positions.get(raw)
        if position is None:
            place = _STEP_POSITION.match(raw)
            if place is None:
                position = Position(self._spell(raw) if raw != _UNPLACED else "", 0, 0)
            else:
                position = Position(self._spell(place[1]), int(place[2]), int(place[3] or 0))
            self._positions[raw] = position
        return position

    def _fact(self, at: str, text: str) -> CompilerFact | None:
        place = self._place(at)
        understood = _heap(text) or _leak(text) or _inline(text) or _other(text)
        if understood is None:
            return None
        kind, message, subject, function = understood
        explanation = None
        if kind is FactKind.HEAP:
            explanation = self._heap_explanation(at, subject)
            if explanation is not None and subject == _APPEND:
                subject = explanation.subject
        elif kind is FactKind.PARAM_LEAK:
            explanation = self._leak_explanation(at, message, subject)
        flow = explanation.flow() if explanation is not None else ()
        if explanation is not None and explanation.function:
            function = explanation.function
        return CompilerFact(kind, place, function, self._package, message, subject, place, (), flow)

    def _heap_explanation(self, at: str, subject: str) -> _Explanation | None:
        about = _APPEND if subject.startswith("append") else subject
        exact = self._take(at, about, lambda explanation: not explanation.target)
        if exact is not None or at not in self._waiting:
            return exact
        # The two may word one expression differently once a constant was propagated: make([]T, size), make([]T, 64).
        head = subject.partition("(")[0]
        for other in self._waiting[at]:
            if not other.taken and other.subject.partition("(")[0] == head:
                other.taken = True
                return other
        return None

    def _leak_explanation(self, at: str, message: str, subject: str) -> _Explanation | None:
        to_result = _TO_RESULT.match(message)
        if to_result is not None:
            return self._take(at, subject, lambda explanation: explanation.target == to_result[2])
        content = message.startswith("leaking param content")
        exact = self._take(at, subject, lambda one: one.target == "{heap}" and (one.derefs > 0) == content)
        # A parameter may reach the heap through another location: "leaks to {storage for X}".
        return exact or self._take(at, subject, lambda one: bool(one.target) and (one.derefs > 0) == content)

    def _take(self, at: str, subject: str, fits: Callable[[_Explanation], bool]) -> _Explanation | None:
        waiting = self._open.get((at, subject))
        if not waiting:
            return None
        for explanation in waiting:
            if not explanation.taken and fits(explanation):
                explanation.taken = True
                return explanation
        return None

    def _left_over(self) -> Iterator[CompilerFact]:
        """Explanations without a verdict (wrappers, repeated flows): facts of -m=2 alone."""
        for (at, _), waiting in self._open.items():
            place = self._place(at)
            for one in waiting:
                if one.taken:
                    continue
                yield CompilerFact(
                    FactKind.OTHER, place, one.function, self._package, one.text, one.subject, place, (), one.flow()
                )


def _flow(body: str) -> tuple[str, str] | None:
    """Cut `to ← from` (up to 1.24 `to = from`); None when it is neither."""
    separator = _ARROW if _ARROW in body else " = "
    to, found, from_ = body.partition(separator)
    if separator not in from_ and not (separator == _ARROW and " = " in to):
        return (to, from_) if found else None
    hard = _FLOW.match(body)
    return (hard[1], hard[2]) if hard else (to, from_)


_Understood = tuple[FactKind, str, str, str]
"""Kind, message as -m=1 prints it, subject, function."""


def _heap(text: str) -> _Understood | None:
    if text.endswith(" escapes to heap"):
        return FactKind.HEAP, text, text[:-16], ""
    if text.endswith(" does not escape"):
        return FactKind.STACK, text, text[:-16], ""
    if text.startswith("moved to heap: "):
        return FactKind.HEAP, text, text[15:], ""
    return None


def _leak(text: str) -> _Understood | None:
    if text.startswith("leaking param content: "):
        return FactKind.PARAM_LEAK, text, text[23:], ""
    if text.startswith("leaking param: "):
        to_result = _TO_RESULT.match(text)
        return FactKind.PARAM_LEAK, text, to_result[1] if to_result else text[15:], ""
    return None


def _inline(text: str) -> _Understood | None:
    if text.startswith("inlining call to "):
        return FactKind.INLINE, text, text[17:], ""
    if text.startswith("can inline "):
        can = _CAN_INLINE.match(text)
        name = can[1] if can else text[11:]
        return FactKind.INLINE, f"can inline {name}", name, name
    if text.startswith("cannot inline "):
        cannot = _CANNOT_INLINE.match(text)
        name = cannot[1] if cannot else text[14:]
        return FactKind.INLINE, text, name, name
    return None


def _other(text: str) -> _Understood | None:
    if text in {"index bounds check elided", "slice bounds check elided"}:
        return FactKind.BOUNDS, text, "", ""
    ignoring = text.find(" ignoring self-assignment in ")
    if ignoring > 0:
        return FactKind.OTHER, text, text[ignoring + 29 :], text[:ignoring]
    capture = _CAPTURE.match(text)
    if capture is not None:
        return FactKind.OTHER, text, text[capture.end() :].partition(" (addr=")[0], capture[1]
    if text in _OTHER_WORDS or text.startswith(_OTHER_STARTS) or text.endswith(_OTHER_ENDS) or _BIG.match(text):
        return FactKind.OTHER, text, "", ""
    return None
