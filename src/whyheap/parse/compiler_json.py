"""The compiler's diagnostics as JSON: what `-gcflags=-json=0,DIR` writes, one file per source file.

Source: cmd/compile/internal/logopt/log_opts.go (Go 1.22 to 1.27). Only what the text lacks is read: inline call stacks
of escapes (`inlineLoc`), bounds checks kept, nil checks and large copies. Lines are 1-based although the comment there
says 0; `range` is the outermost position and the last leading `inlineLoc` the innermost.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import msgspec

from whyheap.errors import FormatError
from whyheap.model.facts import CompilerFact, FactKind
from whyheap.model.site import Position
from whyheap.parse.percent import percent_decoded

_ESCAPES = frozenset({"escape", "escapes"})
_BOUNDS = frozenset({"isInBounds", "isSliceInBounds"})
_OTHER = frozenset({"nilcheck", "copy"})
_ENDING = " escapes to heap"


class _Point(msgspec.Struct):
    line: int
    character: int


class _Range(msgspec.Struct):
    start: _Point


class _Location(msgspec.Struct):
    uri: str
    range: _Range


class _Related(msgspec.Struct):
    location: _Location
    message: str


class _Record(msgspec.Struct):
    """One line; the header line has none of these fields."""

    range: _Range | None = None
    code: str = ""
    message: str = ""
    related: list[_Related] = msgspec.field(default_factory=list, name="relatedInformation")
    file: str = ""
    version: int = 0


_DECODER = msgspec.json.Decoder(_Record)
_INLINE = b'"inlineLoc"'

InlineStack = tuple[Position, ...]
"""Call positions of inlined code, innermost first; the first is where the code stands, the last where it is printed."""


@dataclass(slots=True)
class CompilerLog:
    """What the JSON of one package adds: `stacks` by printed position and subject, and facts of its own."""

    package: str
    stacks: dict[tuple[Position, str], deque[InlineStack]] = field(default_factory=lambda: defaultdict(deque))
    facts: list[CompilerFact] = field(default_factory=list)
    files: int = 0

    def read(self, data: bytes, spell: Callable[[str], str]) -> None:
        """Add one file. Raises FormatError when it is not such a file or of another version."""
        lines = data.split(b"\n")
        try:
            header = _DECODER.decode(lines[0])
            if header.version != 0:
                raise FormatError(f"the compiler's JSON has version {header.version}, only 0 is known")
            outer = spell(header.file)
            for line in lines[1:]:
                # Nearly all records are explanations without inlining, which the text has as well.
                if line and (_INLINE in line or b'"code":"escape' not in line):
                    self._record(_DECODER.decode(line), outer, spell)
        except msgspec.DecodeError as error:
            raise FormatError(f"the compiler's JSON for {self.package} is damaged: {error}") from error
        self.files += 1

    def _record(self, record: _Record, file: str, spell: Callable[[str], str]) -> None:
        if record.range is None:
            return
        start = record.range.start
        printed = Position(file, start.line, start.character)
        stack = [printed]
        for related in record.related:
            if related.message != "inlineLoc":
                break
            point = related.location.range.start
            stack.append(Position(spell(_path(related.location.uri)), point.line, point.character))
        inline = tuple(reversed(stack))
        if record.code in _ESCAPES:
            if record.message and len(inline) > 1:
                self.stacks[printed, record.message.removesuffix(_ENDING)].append(inline)
        elif record.code in _BOUNDS:
            self._fact(FactKind.BOUNDS, record.code, printed, inline)
        elif record.code in _OTHER:
            message = f"{record.code}: {record.message}" if record.message else record.code
            self._fact(FactKind.OTHER, message, printed, inline)

    def _fact(self, kind: FactKind, message: str, printed: Position, inline: InlineStack) -> None:
        self.facts.append(CompilerFact(kind, printed, "", self.package, message, "", inline[0], inline[1:]))

    def place(self, facts: Iterable[CompilerFact]) -> list[CompilerFact]:
        """Give each escape of inlined code its innermost site; the others stay as they are."""
        if not self.stacks:
            return list(facts)
        placed = []
        for fact in facts:
            stacks = self.stacks.get((fact.printed_at, fact.subject)) if fact.kind is FactKind.HEAP else None
            if not stacks:
                placed.append(fact)
                continue
            inline = stacks.popleft() if len(stacks) > 1 else stacks[0]
            placed.append(replace(fact, site=inline[0], inlined_at=inline[1:]))
        return placed


def _path(uri: str) -> str:
    return percent_decoded(uri.removeprefix("file://"))
