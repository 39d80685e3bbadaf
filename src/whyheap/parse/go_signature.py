"""Signatures of functions and interfaces, read from Go source as gofmt leaves it."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from whyheap.parse.go_expression import matching, split_list

_INTERFACE = re.compile(r"^(?:type[ \t]+|\t)(\w+)(?:\[[^\n]*\])?[ \t]+interface[ \t]*\{", re.MULTILINE)
_METHOD = re.compile(r"(?:^|[{;])[ \t]*(\w+)(\([^\n;]*)", re.MULTILINE)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_LITERAL = re.compile(r"\bfunc[ \t]*\(")
_CALLED = re.compile(r"([\w.]+)(?:\[[^\[\]]*\])?$")
_NAMED = re.compile(r"(\w+)[ \t]+(\S.*)$", re.DOTALL)
_DECLARED = re.compile(r"^func (?:\((?:\w+ )?(\*?)(\w+)(?:\[[^\n]*?\])?\) )?(\w+)[\[(]", re.MULTILINE)
_TYPE_ARGUMENTS = re.compile(r"\[.*\]")
_VARIABLE = re.compile(r"^var (\w+)", re.MULTILINE)
_VARIABLES = re.compile(r"^var \(\n(.*?)^\)", re.MULTILINE | re.DOTALL)
_IN_BLOCK = re.compile(r"^\t(\w+)", re.MULTILINE)
_RETURN = re.compile(r"\breturn ([^\n;}]+)")
_IDENTIFIER = re.compile(r"&?[^\W\d]\w*$")
_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Signature:
    """`parameters` are (name, type), the receiver first where there is one; a name may be "". `results` are types."""

    line: int
    parameters: tuple[tuple[str, str], ...]
    results: tuple[tuple[str, str], ...]
    has_receiver: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(name for name, _ in self.parameters)


@dataclass(frozen=True, slots=True)
class InterfaceMethod:
    """A method that an interface type declares; `text` is its signature as written: `Put(*Item) error`."""

    interface: str
    line: int
    text: str
    types: tuple[str, ...]

    @property
    def arity(self) -> int:
        """How many parameters it has."""
        return len(self.types)


class GoSource:
    """One file's text, and what is declared where."""

    def __init__(self, text: str) -> None:
        """`text` is the whole file."""
        self._text = text
        self._lines: list[int] | None = None
        self._functions: dict[str, int] | None = None

    def _offset(self, line: int, column: int) -> int:
        """Return the index of a place; columns count bytes of UTF-8."""
        if self._lines is None:
            self._lines = [0, *(found.end() for found in re.finditer("\n", self._text))]
        if not 0 < line <= len(self._lines):
            return -1
        begin = self._lines[line - 1]
        end = self._lines[line] if line < len(self._lines) else len(self._text)
        whole = self._text[begin:end]
        if whole.isascii():
            return begin + column - 1
        return begin + len(whole.encode("utf-8", "surrogateescape")[: column - 1].decode("utf-8", "ignore"))

    def line_of(self, offset: int) -> int:
        """Return the 1-based line of an index."""
        if self._lines is None:
            self._offset(1, 1)
        return bisect_right(self._lines or [0], offset)

    def called_at(self, line: int, column: int) -> str:
        """Return the function as written in the call whose parenthesis stands at a place, "" if none does."""
        offset = self._offset(line, column)
        if offset <= 0 or self._text[offset : offset + 1] != "(":
            return ""
        found = _CALLED.search(self._text, self._text.rfind("\n", 0, offset) + 1, offset)
        return found[1] if found else ""

    def around(self, line: int, column: int) -> Signature | None:
        """Return the signature that has a parameter at a place."""
        offset = self._offset(line, column)
        if offset < 0:
            return None
        begin = self._text.rfind("\nfunc", 0, offset + 1) + 1
        begins = [found.start() for found in _LITERAL.finditer(self._text, begin, offset)] if begin else []
        for start in [*reversed(begins), begin]:
            if any(opened < offset < closed for opened, closed in self._groups(start)[:3]):
                return self._signature(start)
        return None

    def declared(self, function: str) -> Signature | None:
        """Return the signature of a function at package level, by its name in symbols: `F`, `T.M`, `(*T).M`."""
        if self._functions is None:
            self._functions = {}
            for found in _DECLARED.finditer(self._text):
                star, receiver, name = found[1], found[2], found[3]
                owner = f"(*{receiver})." if star else f"{receiver}." if receiver else ""
                self._functions.setdefault(f"{owner}{name}", found.start())
        start = self._functions.get(_TYPE_ARGUMENTS.sub("", function))
        return self._signature(start) if start is not None else None

    def returned(self, function: str) -> frozenset[str]:
        """Return the variables that a function at package level returns as they are, those of its closures included."""
        if self.declared(function) is None or self._functions is None:
            return frozenset()
        begin = self._functions[_TYPE_ARGUMENTS.sub("", function)]
        close = self._text.find("\n}", begin)
        body = self._text[begin : close if close >= 0 else len(self._text)]
        names = (one for found in _RETURN.finditer(body) for one in split_list(found[1]))
        return frozenset(one.lstrip("&") for one in names if _IDENTIFIER.match(one))

    @property
    def variables(self) -> frozenset[str]:
        """Names of the variables declared at package level."""
        found = {one[1] for one in _VARIABLE.finditer(self._text)}
        for block in _VARIABLES.finditer(self._text):
            found.update(one[1] for one in _IN_BLOCK.finditer(block[1]))
        return frozenset(found)

    def _groups(self, start: int) -> list[tuple[int, int]]:
        """Return where parentheses open and close between `func` and the body: receiver, parameters, results."""
        groups: list[tuple[int, int]] = []
        at = start + 4
        text = self._text
        while at < len(text) and at - start < _LONGEST:
            char = text[at]
            if char in "([":
                end = matching(text, at)
                if end < 0:
                    break
                if char == "(":
                    groups.append((at, end))
                at = end
            elif char in "{\n,)":
                break
            at += 1
        return groups

    def _signature(self, start: int) -> Signature | None:
        groups = self._groups(start)
        if not groups:
            return None
        text = self._text
        has_receiver = text.startswith("func (", start) and len(groups) > 1 and _is_name(text, groups[0][1])
        receivers = _fields(text[groups[0][0] + 1 : groups[0][1]]) if has_receiver else ()
        ours = groups[1] if has_receiver else groups[0]
        results = self._results(ours[1] + 1)
        parameters = (*receivers, *_fields(text[ours[0] + 1 : ours[1]]))
        return Signature(self.line_of(start), parameters, results, has_receiver)

    def _results(self, at: int) -> tuple[tuple[str, str], ...]:
        """Read the results that follow a parameter list."""
        text = self._text
        while text[at : at + 1] == " ":
            at += 1
        if text[at : at + 1] == "(":
            end = matching(text, at)
            return _fields(text[at + 1 : end]) if end > 0 else ()
        end = at
        while end < len(text) and text[end] != "\n" and end - at < _LONGEST:
            if text[end] in "([":
                end = max(matching(text, end), end)
            elif text[end] == "{":
                if not text[at:end].rstrip().endswith(("interface", "struct")):
                    break
                end = max(matching(text, end), end)
            end += 1
        result = text[at:end].strip()
        return (("", result),) if result else ()

    def interfaces(self) -> list[tuple[str, InterfaceMethod]]:
        """Return the methods of interface types, by name."""
        found = []
        for declared in _INTERFACE.finditer(self._text):
            opened = declared.end() - 1
            line = self.line_of(declared.start(1))
            closed = matching(_COMMENT.sub(lambda one: " " * len(one[0]), self._text[opened : opened + 40_000]), 0)
            if closed < 0:
                continue
            for method in _METHOD.finditer(self._text, opened, opened + closed):
                end = matching(method[2], 0)
                types = tuple(kind for _, kind in _fields(method[2][1:end])) if end > 0 else ()
                text = _COMMENT.sub("", method[1] + method[2]).strip()
                found.append((method[1], InterfaceMethod(declared[1], line, text, types)))
        return found


def _is_name(text: str, closed: int) -> bool:
    """Whether a name follows a parenthesis: then the group before it was a receiver."""
    following = text[closed + 1 : closed + 3].lstrip()
    return bool(following) and (following[0].isalpha() or following[0] == "_")


def _fields(text: str) -> tuple[tuple[str, str], ...]:
    """Read a list of parameters or results: (name, type) each; names that share a type all get it."""
    items = [" ".join(one.split()) for one in split_list(_COMMENT.sub("", text)) if one.strip()]
    pairs = [_NAMED.match(one) for one in items]
    if not any(pair is not None and pair[1] not in {"func", "chan", "map", "struct", "interface"} for pair in pairs):
        return tuple(("", one) for one in items)
    fields: list[tuple[str, str]] = []
    kind = ""
    for one, pair in zip(reversed(items), reversed(pairs), strict=True):
        if pair is not None:
            kind = pair[2]
            fields.append((pair[1], kind))
        else:
            fields.append((one, kind))
    return tuple(reversed(fields))
