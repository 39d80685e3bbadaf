"""`//whyheap:limit allocs=0 bytes=1KiB` above a test or benchmark: what it may allocate.

For a benchmark the limits are those of one operation, for a test of the whole of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from whyheap.errors import UsageError
from whyheap.units import parse_bytes

if TYPE_CHECKING:
    from ast_grep_py import SgNode

DIRECTIVE = "//whyheap:limit"
_FORM = f"{DIRECTIVE} allocs=N bytes=SIZE"
_COUNT = re.compile(r"\d{1,18}", re.ASCII)
_SIMILAR = re.compile(r"//whyheap:limits?\b|// whyheap:limits?\s+(?:allocs|bytes)=", re.IGNORECASE)
_LIMITED = re.compile(r"(Test|Benchmark)(?![a-z])\w*")


@dataclass(frozen=True, slots=True)
class AllocationLimit:
    """The limit of a function, at its name; None = no limit. `text` is the directive's own."""

    function: str
    line: int
    column: int
    allocs: int | None
    bytes: int | None
    text: str

    @property
    def is_benchmark(self) -> bool:
        """Whether it speaks of one operation."""
        return self.function.startswith("Benchmark")


@dataclass(frozen=True, slots=True)
class WrongDirective:
    """A directive that cannot be obeyed, where it stands, and why."""

    line: int
    column: int
    text: str
    reason: str


def parse_limits(source: str, *, is_test: bool = True) -> Iterator[AllocationLimit | WrongDirective]:
    """Yield the limits of one file, in order; text in strings is none. What is no test file has only wrong ones."""
    if _SIMILAR.search(source) is None:
        return
    from ast_grep_py import SgRoot  # noqa: PLC0415 - loads a native parser: only where there is a directive

    root = SgRoot(source, "go").root()
    for comment in root.find_all(kind="comment"):
        text = comment.text().rstrip()
        if _SIMILAR.match(text) is None:
            continue
        found = _read(comment, text)
        if not is_test and isinstance(found, AllocationLimit):
            at = comment.range().start
            found = WrongDirective(at.line + 1, at.column + 1, text, "it stands in no test file")
        yield found


def _read(comment: SgNode, text: str) -> AllocationLimit | WrongDirective:
    start = comment.range().start
    line, column = start.line + 1, start.column + 1
    if text.split(maxsplit=1)[0] != DIRECTIVE:
        return WrongDirective(line, column, text, f"it is not understood: write {_FORM}")
    try:
        allocs, size = _limits(text)
    except UsageError as error:
        return WrongDirective(line, column, text, error.message.rstrip("."))
    name = _function_below(comment)
    if name is None:
        return WrongDirective(line, column, text, "it stands directly above no function")
    function = name.text()
    if _LIMITED.fullmatch(function) is None or function == "TestMain":
        return WrongDirective(line, column, text, f"{function} is neither a Test nor a Benchmark function")
    at = name.range().start
    return AllocationLimit(function, at.line + 1, at.column + 1, allocs, size, text)


def _limits(text: str) -> tuple[int | None, int | None]:
    """Read the words after the directive. Raises UsageError."""
    found: dict[str, int] = {}
    for word in text.split()[1:]:
        if word == "//":  # a remark
            break
        key, equals, value = word.partition("=")
        if key not in {"allocs", "bytes"} or not equals:
            raise UsageError(f"{word} is not understood: write {_FORM}")
        if key in found:
            raise UsageError(f"{key} is given twice")
        if key == "bytes":
            found[key] = parse_bytes(value)
        elif _COUNT.fullmatch(value):
            found[key] = int(value)
        else:
            raise UsageError(f"{word} is no count: write allocs=0")
    if not found:
        raise UsageError(f"it names no limit: write {_FORM}")
    return found.get("allocs"), found.get("bytes")


def _function_below(comment: SgNode) -> SgNode | None:
    """Return the name of the function that a comment, or the block of comments it is in, belongs to."""
    node: SgNode | None = comment
    while node is not None and node.kind() == "comment":
        following = node.next()
        if following is not None and following.range().start.line > node.range().end.line + 1:
            return None
        node = following
    if node is None or node.kind() != "function_declaration":
        return None
    return node.field("name")
