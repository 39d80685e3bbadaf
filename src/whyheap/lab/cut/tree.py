"""One Go file's syntax tree, asked by the compiler's positions."""

from __future__ import annotations

from collections.abc import Iterator

from ast_grep_py import SgNode, SgRoot

FUNCTIONS = frozenset({"function_declaration", "method_declaration", "func_literal"})


class Tree:
    """A parsed file. Offsets are indexes into the text; columns count bytes of UTF-8."""

    def __init__(self, text: str) -> None:
        """Parse."""
        self.text = text
        self._root = SgRoot(text, "go").root()
        self._lines = [0]
        self._lines.extend(index + 1 for index, char in enumerate(text) if char == "\n")

    def offset(self, line: int, column: int) -> int:
        """Return the index of a position."""
        begin = self._lines[line - 1]
        end = self.text.find("\n", begin)
        whole = self.text[begin : end if end >= 0 else len(self.text)]
        return begin + len(whole.encode("utf-8", "surrogateescape")[: max(column - 1, 0)].decode("utf-8", "ignore"))

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column of an index."""
        line = self.text.count("\n", 0, offset) + 1
        before = self.text[self._lines[line - 1] : offset]
        return line, len(before.encode("utf-8", "surrogateescape")) + 1

    def around(self, offset: int) -> list[SgNode]:
        """Return the nodes that contain an index, innermost first."""
        found: list[SgNode] = []
        nodes = [self._root]
        while nodes:
            inner = next((one for one in nodes if start(one) <= offset < end(one)), None)
            if inner is None:
                break
            found.append(inner)
            nodes = inner.children()
        return found[::-1]

    def functions(self) -> Iterator[SgNode]:
        """Yield the functions and methods at package level."""
        for node in self._root.children():
            if node.kind() in {"function_declaration", "method_declaration"}:
                yield node


def start(node: SgNode) -> int:
    """Return where a node begins."""
    return node.range().start.index


def end(node: SgNode) -> int:
    """Return the index behind a node."""
    return node.range().end.index


def named_children(node: SgNode) -> list[SgNode]:
    """Return the children that are no punctuation and no comment."""
    return [one for one in node.children() if one.is_named() and one.kind() != "comment"]


def below(node: SgNode, kind: str, *, into_functions: bool = False) -> Iterator[SgNode]:
    """Yield the nodes of a kind below `node`; those in functions that it contains only `into_functions`."""
    for child in node.children():
        if child.kind() == kind:
            yield child
        if into_functions or child.kind() != "func_literal":
            yield from below(child, kind, into_functions=into_functions)
