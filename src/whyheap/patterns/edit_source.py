"""What an edit may ask of a file: its text, its syntax, and the types that the compiler's own checker gives it.

Indexes are those of characters in `text`. Syntax is ast-grep's; types come from go/types (collect/go_types.py), which
speaks of the top-level declarations that findings stand in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

from ast_grep_py import SgNode

from whyheap.model.edit import Change, Edit
from whyheap.model.finding import Finding
from whyheap.model.go_types import CheckedFile, GoObject, GoType
from whyheap.patterns.syntax import FUNCTIONS, GoFile

_LANGUAGE = re.compile(r"go(\d+)\.(\d+)")
_VERSION_SUFFIX = re.compile(r"v\d+")
_STD_NAMES = frozenset({"bytes", "errors", "maps", "os", "slices", "strings"})  # that a plural may hit
Span = tuple[int, int]


class UneditableError(Exception):
    """Why a finding is not edited automatically, as the end of a sentence: "the slice is filled under a condition"."""


class EditSource:
    """One file that is to be edited, with its types."""

    def __init__(
        self,
        file: str,
        text: str,
        checked: CheckedFile,
        scope: Iterable[str] = (),
        claimed: dict[str, tuple[str, int, str]] | None = None,
        compiles: Callable[[str], bool] = lambda _: False,
        is_elsewhere: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """`file` is spelled as in Site; `scope` are the names that the package declares.

        `claimed` are names that edits of the package's files add; `compiles` tells whether Go takes a regular
        expression, `is_elsewhere` whether another file of the package, tests too, has a word.
        """
        self.file = file
        self.text = text
        self.checked = checked
        self.scope = frozenset(scope)
        self.syntax = GoFile(text)
        self.compiles = compiles
        self.is_elsewhere = is_elsewhere
        self._claimed = {} if claimed is None else claimed
        self._given: dict[int, dict[tuple[int, tuple[str, ...]], str]] = {}

    @cached_property
    def language(self) -> tuple[int, int]:
        """The Go version that the file is written in: what go.mod says, or its own build constraint."""
        found = _LANGUAGE.match(self.checked.language)
        return (int(found[1]), int(found[2])) if found else (1, 16)

    @cached_property
    def _characters(self) -> list[int] | None:
        """Byte offset -> index of a character; None where they are equal."""
        if self.text.isascii():
            return None
        indexes: list[int] = []
        for index, char in enumerate(self.text):
            indexes += [index] * len(char.encode())
        return [*indexes, len(self.text)]

    @cached_property
    def package(self) -> str:
        """The name in the package clause."""
        clause = self.syntax.root.find(kind="package_identifier")
        return clause.text() if clause is not None else ""

    def index(self, offset: int) -> int:
        """Return the index of the character at a byte offset."""
        return offset if self._characters is None else self._characters[offset]

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]

    def at(self, line: int, column: int) -> int:
        """Return the index of a position; that of the line's first word for an unknown column."""
        start = self._line_starts[line - 1]
        text = self.text[start : self.text.find("\n", start)] if "\n" in self.text[start:] else self.text[start:]
        if not column:
            return start + len(text) - len(text.lstrip())
        return start + len(text.encode()[: column - 1].decode("utf-8", "ignore"))

    def line(self, index: int) -> int:
        """Return the 1-based line of an index."""
        return self.text.count("\n", 0, index) + 1

    def indentation(self, node: SgNode) -> str:
        """Return what stands before a node on its line, if that is white space."""
        start = self.text.rfind("\n", 0, begin(node)) + 1
        before = self.text[start : begin(node)]
        return before if not before.strip() else before[: len(before) - len(before.lstrip())]

    @cached_property
    def _types(self) -> dict[Span, int]:
        return {(self.index(one.start), self.index(one.end)): one.type for one in self.checked.expressions}

    @cached_property
    def _constants(self) -> dict[Span, str]:
        return {
            (self.index(one.start), self.index(one.end)): one.constant
            for one in self.checked.expressions
            if one.constant is not None
        }

    @cached_property
    def _objects(self) -> dict[Span, int]:
        return {(self.index(one.start), self.index(one.end)): one.object for one in self.checked.identifiers}

    def type_of(self, node: SgNode) -> GoType | None:
        """Return the type of an expression, None where the checker gives none."""
        number = self._types.get(span(node))
        return None if number is None else self.checked.types[number]

    def element(self, of: GoType) -> GoType | None:
        """Return the type of a slice's, array's, map's, channel's or pointer's element."""
        return None if of.elem < 0 else self.checked.types[of.elem]

    def constant(self, node: SgNode) -> str | None:
        """Return the value of a constant expression, of a string the text itself; None for what is no constant."""
        return self._constants.get(span(node))

    def object_of(self, node: SgNode) -> GoObject | None:
        """Return what an identifier stands for."""
        number = self._objects.get(span(node))
        return None if number is None else self.checked.objects[number]

    def mentions(self, node: SgNode, inside: SgNode | None = None) -> list[SgNode]:
        """Return the identifiers, of the declaration or `inside` a node, that stand for what `node` stands for."""
        number = self._objects.get(span(node))
        if number is None:
            return []
        around = inside if inside is not None else self.declaration(begin(node))
        if around is None:
            return []
        return [one for one in identifiers(around) if self._objects.get(span(one)) == number]

    def is_same(self, first: SgNode, second: SgNode) -> bool:
        """Whether two identifiers stand for the same object."""
        number = self._objects.get(span(first))
        return number is not None and number == self._objects.get(span(second))

    def is_package(self, node: SgNode | None, path: str) -> bool:
        """Whether an identifier is the name of an imported package."""
        found = self.object_of(node) if node is not None else None
        return found is not None and found.kind == "package" and found.path == path

    def is_builtin(self, node: SgNode | None, name: str) -> bool:
        """Whether an identifier is Go's own `append`, `make`, ..., and nobody's who took the name."""
        found = self.object_of(node) if node is not None else None
        return found is not None and found.level == "universe" and found.name == name

    def called(self, call: SgNode) -> str:
        """Return what a call calls, where that is a function of a package: "fmt.Sprintf", with the import path."""
        function = call.field("function")
        if function is None or function.kind() != "selector_expression":
            return ""
        operand, name = function.field("operand"), function.field("field")
        found = self.object_of(operand) if operand is not None else None
        if found is None or name is None or found.kind != "package":
            return ""
        return f"{found.path}.{name.text()}"

    def is_steady(self, node: SgNode) -> bool:
        """Whether an expression is a variable or a chain of fields: reading it does nothing."""
        if node.kind() == "identifier":
            found = self.object_of(node)
            return found is not None and found.kind in {"var", "const"}
        if node.kind() == "selector_expression":
            operand, field = node.field("operand"), node.field("field")
            if operand is None or field is None:
                return False
            if (found := self.object_of(operand)) is not None and found.kind == "package":
                return True
            of = self.object_of(field)
            return of is not None and of.kind == "field" and self.is_steady(operand)
        return False

    def declaration(self, index: int) -> SgNode | None:
        """Return the top-level declaration around an index."""
        around = self.around(index)
        return around[-2] if len(around) > 1 else None

    def function(self, node: SgNode) -> SgNode | None:
        """Return the innermost function that a node stands in."""
        return next((one for one in node.ancestors() if one.kind() in FUNCTIONS), None)

    def around(self, index: int) -> list[SgNode]:
        """Return the nodes that contain an index, innermost first; the file is the last."""
        found: list[SgNode] = []
        nodes = [self.syntax.root]
        while nodes:
            inner = next((one for one in nodes if begin(one) <= index < end(one)), None)
            if inner is None:
                break
            found.append(inner)
            nodes = inner.children()
        return found[::-1]

    def calls_around(self, finding: Finding) -> Iterator[SgNode]:
        """Yield the calls that a finding may speak of, innermost first; without a column all of the line."""
        line, column = finding.site.line, finding.site.column
        if column:
            index = self.at(line, column)
            yield from (one for one in self.around(index) if one.kind() == "call_expression")
        else:
            yield from self.syntax.nodes("call_expression", line)

    def names_used(self, node: SgNode) -> frozenset[str]:
        """Return all identifiers in the top-level declaration around a node: what a new name must differ from."""
        around = self.declaration(begin(node))
        return frozenset(one.text() for one in identifiers(around)) if around is not None else frozenset()

    def fresh(self, node: SgNode, *wanted: str) -> str:
        """Return the first wanted name that means nothing near a node, else the first with a number."""
        taken = self.names_used(node) | self.scope | {one.name for one in self.checked.imports}
        numbered = (f"{wanted[0]}{number}" for number in range(2, 100))
        return next((name for name in (*wanted, *numbered) if name not in taken), "")

    def fresh_variable(self, near: SgNode, *wanted: str) -> str:
        """Return a name as `fresh` does, for a variable beside a statement; no other edit near gets it.

        It is none that every reader takes for a package of std: `os`, `errors`, `bytes`.
        """
        wanted = tuple(name for name in wanted if name not in _STD_NAMES) or wanted
        around = self.declaration(begin(near))
        place = begin(around) if around is not None else 0
        given = self._given.setdefault(place, {})
        known = given.get((begin(near), wanted))
        if known is None:
            numbered = (f"{wanted[0]}{number}" for number in range(2, 100))
            names = (self.fresh(near, name) for name in (*wanted, *numbered))
            known = given[begin(near), wanted] = next((one for one in names if one not in given.values()), "")
        return known

    def claim(self, wanted: Sequence[str], near: SgNode, value: str) -> str:
        """Return the name of a package variable that an edit adds above a declaration; the same for the same value.

        It is the first wanted one that is free in all files of the package, tests and other systems' too.
        """
        around = self.declaration(begin(near))
        place = (self.file, begin(around) if around is not None else 0, value)
        known = next((name for name, of in self._claimed.items() if of == place), "")
        if known:
            return known
        taken = self.scope | self._claimed.keys() | {one.name for one in self.checked.imports} | self._words
        numbered = (f"{wanted[0]}{number}" for number in range(2, 1000))
        name = next(one for one in (*wanted, *numbered) if one not in taken and not self.is_elsewhere(one))
        self._claimed[name] = place
        return name

    @cached_property
    def _words(self) -> frozenset[str]:
        """All words of the file: a new name of the package must not mean something else in it already."""
        return frozenset(re.findall(r"\w+", self.text))

    def package_name(self, path: str, near: SgNode) -> str:
        """Return the name to call a package of std by, near a node; "" when that name means something else there."""
        imported = next((one.name for one in self.checked.imports if one.path == path), "")
        if imported in {"_", "."}:
            return ""
        parts = path.split("/")
        name = imported or (parts[-2] if len(parts) > 1 and _VERSION_SUFFIX.fullmatch(parts[-1]) else parts[-1])
        if not imported and (name in self.scope or any(one.name == name for one in self.checked.imports)):
            return ""
        around = self.declaration(begin(near))
        if around is None:
            return ""
        for one in identifiers(around):
            if one.text() == name and not self.is_package(one, path):
                found = self.object_of(one)
                if found is None or found.kind not in {"field", "func"} or found.level == "package":
                    return ""
        return name

    def edit(
        self,
        finding: Finding,
        title: str,
        changes: Iterable[Change],
        *,
        imports: Iterable[str] = (),
        brings: Iterable[str] = (),
        stays: bool = False,
        lines: Iterable[int] = (),
        drops: Iterable[str] = (),
        unchecks: bool = False,
        caution: str = "",
    ) -> Edit:
        """Return the edit that mends a finding; see Edit for what the parts mean."""
        return Edit(
            finding.pattern,
            self.file,
            title,
            tuple(sorted(changes)),
            (finding.id,),
            frozenset(imports),
            tuple(brings),
            stays,
            tuple(sorted({finding.site.line, *lines})),
            tuple(drops),
            unchecks,
            caution,
        )


def begin(node: SgNode) -> int:
    """Return the index where a node begins."""
    return int(node.range().start.index)


def end(node: SgNode) -> int:
    """Return the index behind a node."""
    return int(node.range().end.index)


def span(node: SgNode) -> Span:
    """Return where a node begins and ends."""
    at = node.range()
    return at.start.index, at.end.index


def identifiers(node: SgNode) -> list[SgNode]:
    """Return the identifiers in a node, in source order."""
    kinds = ("identifier", "field_identifier", "type_identifier", "package_identifier")
    found = node.find_all({"rule": {"any": [{"kind": kind} for kind in kinds]}})
    return [*([node] if node.kind() in kinds else []), *(one for one in found if span(one) != span(node))]


def arguments(call: SgNode) -> list[SgNode]:
    """Return the arguments of a call, without comments."""
    found = call.field("arguments")
    return named(found) if found is not None else []


def named(node: SgNode) -> list[SgNode]:
    """Return the children that are no punctuation and no comment."""
    return [one for one in node.children() if one.is_named() and one.kind() != "comment"]


def has_comment(node: SgNode) -> bool:
    """Whether a comment stands in a node: it would be lost where the node is written anew."""
    return node.find(kind="comment") is not None


def replace(node: SgNode, new: str) -> Change:
    """Return the change that puts a text in place of a node."""
    return Change(begin(node), end(node), new)
