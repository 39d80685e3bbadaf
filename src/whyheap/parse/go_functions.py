"""Which function a line of Go source belongs to, told from where functions begin (compiler) and where braces close."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

_TOKEN = re.compile(
    rb"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|`[^`]*`|'(?:\\.|[^'\\\n])*'|[{}]""",
    re.DOTALL,
)
_CLOSURE = re.compile(r"\.func\d|-range\d|\.gowrap\d|\.deferwrap\d")
_OPEN, _CLOSE = ord("{"), ord("}")
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

    def function_at(self, line: int, column: int) -> str:
        """Return the innermost function around a place, empty if it is in none (package level, unknown)."""
        index = bisect_right(self._starts, (line, column or _NO_END, "\U0010ffff"))
        while index > 0:
            index -= 1
            if (line, column) <= self._end(index):
                return self._starts[index][2]
            if not _CLOSURE.search(self._starts[index][2]):
                return ""  # functions at package level do not nest
        return ""

    def _end(self, index: int) -> Place:
        end = self._ends.get(index)
        if end is None:
            end = self._ends[index] = self._find_end(*self._starts[index])
        return end

    def _find_end(self, line: int, column: int, name: str) -> Place:
        if self._source is None or line > len(self._line_offsets):
            return line, _NO_END
        offset = self._line_offsets[line - 1] + max(column - 1, 0)
        if _CLOSURE.search(name):
            end = _body_end(self._source, offset)
        else:  # gofmt puts the brace that ends a function at package level at the start of a line
            line_end = self._source.find(b"\n", offset)
            if line_end < 0 or self._source[offset:line_end].rstrip().endswith(b"}"):
                return line, _NO_END
            end = self._source.find(b"\n}", line_end - 1) + 1
        if end <= 0:
            return line, _NO_END
        end_line = bisect_right(self._line_offsets, end)
        return end_line, end - self._line_offsets[end_line - 1] + 1


def _line_offsets(source: bytes) -> list[int]:
    offsets = [0]
    offsets.extend(match.end() for match in re.finditer(b"\n", source))
    return offsets


def _body_end(source: bytes, offset: int) -> int:
    """Return the offset of the brace that closes the body of the function at `offset`, -1 if there is none."""
    depth = 0
    in_type = False
    for token in _TOKEN.finditer(source, offset):
        start = token.start()
        byte = source[start]
        if byte == _OPEN:
            if depth == 0:
                in_type = source[max(offset, start - 12) : start].rstrip().endswith((b"struct", b"interface"))
            depth += 1
        elif byte == _CLOSE:
            depth -= 1
            if depth < 0:
                return -1
            if depth == 0 and not in_type:
                return start
    return -1
