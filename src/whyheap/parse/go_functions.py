"""Which function a line of Go source belongs to, told from where functions begin (compiler) and where braces close."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

_TOKEN = re.compile(
    rb"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|`[^`]*`|'(?:\\.|[^'\\\n])*'|[{}()\n]""",
    re.DOTALL,
)
_CLOSURE = re.compile(r"\.func\d|-range\d|\.gowrap\d|\.deferwrap\d")
_WRAPPER = re.compile(r"\.(?:go|defer)wrap\d+$")  # stands for a go or defer statement, which has no body
_STEPS = {ord("("): 1, ord(")"): -1, ord("{"): 1, ord("}"): -1}
_BRACES, _NEWLINE = b"{}", ord("\n")
_SHAPE = "[go.shape."  # of a function that several types share
_NO_END = 1 << 30

Place = tuple[int, int]
"""Line and column, both 1-based."""


class FunctionMap:
    """Spans of the functions of one file. `starts` are (line, column, function) as the compiler names them."""

    def __init__(self, source: bytes | None, starts: Iterable[tuple[int, int, str]]) -> None:
        """Without `source` only lines that start a function are named."""
        self._starts = sorted(set(starts))
        self._source = source
        self._line_offsets = _line_offsets(source) if source is not None else []
        self._ends: dict[int, Place] = {}
        self._found: dict[tuple[int, int, int], str] = {}

    def function_at(self, line: int, column: int, ordinal: int = 0) -> str:
        """Return the innermost function around a place, empty if it is in none (package level, unknown).

        The place where a closure begins is in the function around it. A generic function has several instances: the
        fact that is the `ordinal`th of equal ones at one place is about the `ordinal`th of them.
        """
        place = (line, column, ordinal)
        found = self._found.get(place)
        if found is None:
            found = self._found[place] = self._search(line, column, ordinal)
        return found

    def _search(self, line: int, column: int, ordinal: int) -> str:
        index = bisect_right(self._starts, (line, column or _NO_END, "\U0010ffff"))
        while index > 0:
            index -= 1
            start_line, start_column, name = self._starts[index]
            is_closure = _CLOSURE.search(name) is not None
            at_start = (line, column) == (start_line, start_column)
            if (line, column) <= self._end(index) and not (is_closure and at_start):
                return self._instance(start_line, start_column, ordinal, at_start=at_start)
            if not is_closure:
                return ""  # functions at package level do not nest
        return ""

    def _instance(self, line: int, column: int, ordinal: int, *, at_start: bool) -> str:
        """Choose among the functions that begin at one place: instances of a generic one, or copies of a closure."""
        first = bisect_right(self._starts, (line, column, ""))
        last = bisect_right(self._starts, (line, column, "\U0010ffff"))
        names = [name for _, _, name in self._starts[first:last]]
        # Copies of a closure are named after the functions they were inlined into, so the shortest name is its own.
        names.sort(key=lambda name: (len(name.partition("[")[0]), name))
        if "[" in names[0]:
            # The wrapper of an instance has the name's own place, and nothing else but what is inlined there.
            names = [name for name in names if (_SHAPE in name) is not at_start] or names
        return names[ordinal % len(names)]

    def _end(self, index: int) -> Place:
        end = self._ends.get(index)
        if end is None:
            end = self._ends[index] = self._find_end(*self._starts[index])
        return end

    def _find_end(self, line: int, column: int, name: str) -> Place:
        if self._source is None or line > len(self._line_offsets):
            return line, _NO_END
        offset = self._line_offsets[line - 1] + max(column - 1, 0)
        if _WRAPPER.search(name):
            end = _statement_end(self._source, offset)
        elif _CLOSURE.search(name):
            end = _body_end(self._source, offset)
        else:
            end = _function_end(self._source, offset)
        if end <= 0:
            return line, _NO_END
        end_line = bisect_right(self._line_offsets, end)
        return end_line, end - self._line_offsets[end_line - 1] + 1


def _line_offsets(source: bytes) -> list[int]:
    offsets = [0]
    offsets.extend(match.end() for match in re.finditer(b"\n", source))
    return offsets


def _function_end(source: bytes, offset: int) -> int:
    """Return the end of a function at package level: gofmt puts its brace at the start of a line."""
    line_end = source.find(b"\n", offset)
    line = source[offset : line_end if line_end >= 0 else len(source)]
    if b"}" in line:
        end = _body_end(line, 0)
        if end >= 0:
            return offset + end
        if line.rstrip().endswith(b"}"):
            return -1  # `interface{}` at the end of a declaration without a body
    end = source.find(b"\n}", max(line_end, offset)) + 1
    if end > 0 and (source.find(b"`", offset, end) >= 0 or source.find(b"/*", offset, end) >= 0):
        return _body_end(source, offset)  # the brace may be text
    return end


def _body_end(source: bytes, offset: int) -> int:
    """Return the offset of the brace that closes the body of the function at `offset`, -1 if there is none."""
    depth = 0
    is_body = False
    for token in _TOKEN.finditer(source, offset):
        start = token.start()
        byte = source[start]
        step = _STEPS.get(byte, 0)
        if not step:
            continue
        if step > 0 and depth == 0:
            before = source[max(offset, start - 12) : start].rstrip()
            is_body = byte in _BRACES and not before.endswith((b"struct", b"interface"))
        depth += step
        if depth < 0:
            return -1
        if depth == 0 and is_body:
            return start
    return -1


def _statement_end(source: bytes, offset: int) -> int:
    """Return the offset where the statement at `offset` ends, -1 if it does not."""
    depth = 0
    for token in _TOKEN.finditer(source, offset):
        byte = source[token.start()]
        depth += _STEPS.get(byte, 0)
        if depth <= 0 and (byte == _NEWLINE or depth < 0):
            return token.start()
    return -1
