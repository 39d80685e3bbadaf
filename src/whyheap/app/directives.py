"""Directives in Go source: `//whyheap:noescape`, `//whyheap:noalloc`, and those of gcassert.

gcassert's grammar is that of github.com/jordanlewis/gcassert (gcassert.go, gcAssertRegex and Visit, April 2025): a list
of words after `//gcassert:`, separated by commas, on the line itself or on the lines above it, where go/ast's comment
map ties it to a declaration, statement or parameter. A comment right below a statement, with an empty line after it,
belongs to that statement (go/ast/commentmap.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Final

from whyheap.parse.allocation_limits import DIRECTIVE as LIMIT
from whyheap.patterns.grammar import unread_lines
from whyheap.patterns.syntax import FUNCTIONS, GoFile

if TYPE_CHECKING:
    from ast_grep_py import SgNode


class Word(StrEnum):
    """What a directive demands; also the rule that is broken where it is not so."""

    NOESCAPE = "noescape"
    NOALLOC = "noalloc"
    INLINE = "inline"
    BCE = "bce"


_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "whyheap": frozenset(Word),
    "gcassert": frozenset({Word.NOESCAPE, Word.INLINE, Word.BCE}),
}
_OWN_LINE: Final = re.compile(r"// ?(whyheap|gcassert):([\w,]*)")
_LINE_COMMENT: Final = re.compile(r"^//line |/\*line ", re.MULTILINE)
_BLOCK_COMMENT: Final = re.compile(r"/\*.*?\*/")
_TRAILING: Final = re.compile(r"// ?(gcassert|whyheap):([\w,]*)")
_DECLARATIONS: Final = ("function_declaration", "method_declaration")
_COMPOUND: Final = {
    "if_statement": "consequence",
    "for_statement": "body",
    "expression_switch_statement": "",
    "type_switch_statement": "",
    "select_statement": "",
    "labeled_statement": "",
    "expression_case": "",
    "default_case": "",
    "type_case": "",
    "communication_case": "",
}
"""Statements with others inside, and the field that holds these: a directive speaks of what is before."""
_SIMPLE: Final = frozenset(
    [
        "assignment_statement",
        "short_var_declaration",
        "var_declaration",
        "var_spec",
        "return_statement",
        "expression_statement",
        "send_statement",
        "inc_statement",
        "dec_statement",
        "go_statement",
        "defer_statement",
        "parameter_declaration",
        "variadic_parameter_declaration",
    ]
)
_IDLE: Final = frozenset(
    ["package_clause", "import_declaration", "const_declaration", "type_declaration", "field_declaration", "type_spec"]
)
_STARTS: Final = (*_DECLARATIONS, *_COMPOUND, *_SIMPLE, *_IDLE, "const_spec", "method_elem", "import_spec")
_CALLS: Final = ("call_expression",)
_INDEXED: Final = ("index_expression", "slice_expression", "call_expression")


@dataclass(frozen=True, slots=True)
class Declaration:
    """A function as it is declared: `name` as Site spells it, with type parameters left out; lines of all of it."""

    name: str
    first_line: int
    last_line: int
    is_generic: bool


@dataclass(frozen=True, slots=True)
class Directive:
    """One word at one place. `lines` are those that it speaks of; `function` when it is about a whole function.

    `inside` is the function that the lines are in. `problem` says why it makes no sense; it is then not judged.
    `is_unread` says that Go's syntax was not understood there: what it speaks of is not known.
    """

    file: str
    line: int
    column: int
    text: str
    word: Word | None
    lines: frozenset[int] = frozenset()
    function: Declaration | None = None
    inside: Declaration | None = None
    calls: int = 0
    problem: str = field(default="")
    is_unread: bool = False


def has_directive(text: str) -> bool:
    """Whether a text may hold a directive: what has none need not be parsed."""
    return "whyheap:" in text or "gcassert:" in text


def find_directives(file: str, text: str) -> list[Directive]:
    """Return the directives of one file, in order."""
    return list(_Finder(file, text).directives()) if has_directive(text) else []


def _code_of(text: str) -> str:
    """Return what of a line's start is code, without block comments, one included that began above."""
    return _BLOCK_COMMENT.sub("", text).rpartition("*/")[2].strip()


class _Finder:
    """Finds what the comments of one file speak of."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._lines = text.split("\n")
        self._syntax = GoFile(text)
        renamed = _LINE_COMMENT.search(text)
        self._renamed_from = text.count("\n", 0, renamed.start()) + 1 if renamed is not None else len(self._lines) + 1

    def directives(self) -> Iterator[Directive]:
        comments = sorted(self._syntax.all("comment"), key=lambda node: node.range().start.index)
        for node in comments:
            at = node.range().start
            is_trailing = bool(_code_of(self._lines[at.line][: at.column]))
            said = node.text()
            found = _TRAILING.search(said) if is_trailing else _OWN_LINE.match(said)
            if found is None or not said.startswith("//") or (not found[2] and " " in found[0]):  # prose: "whyheap: x"
                continue
            if found[0] == LIMIT:  # speaks to `whyheap test`
                continue
            target = self._beside(at.line + 1) if is_trailing else self._below(at.line + 1)
            column = self._syntax.column(node) + (found.start() if is_trailing else 0)
            for word in found[2].split(","):
                yield self._directive(at.line + 1, column, (found[1], word), target)

    @cached_property
    def _unread(self) -> tuple[range, ...]:
        return unread_lines(self._syntax.root)

    def _directive(self, line: int, column: int, said: tuple[str, str], target: _Target | None) -> Directive:
        tool, word = said
        text = f"//{tool}:{word}"
        if word not in _WORDS[tool]:
            known = ", ".join(sorted(_WORDS[tool]))
            return Directive(self._file, line, column, text, None, problem=f"{text} is unknown: {tool} knows {known}")
        if target is None:
            return Directive(
                self._file, line, column, text, Word(word), problem=f"{text} stands above no code: put it right above"
            )
        speaks = target.of(tool, Word(word))
        problem = target.problem(text, Word(word))
        if not problem and max(speaks[0]) > self._renamed_from:
            named = self._lines[self._renamed_from - 1].strip()
            problem = f"{text} stands below {named!r}: the compiler names other lines there, so it cannot be judged"
        is_unread = any(one in lines for lines in self._unread for one in (line, *speaks[0]))
        return Directive(
            self._file, line, column, text, Word(word), *speaks, target.calls, problem, is_unread=is_unread
        )

    @cached_property
    def _comment_lines(self) -> frozenset[int]:
        """Lines that hold nothing but a comment."""
        found: set[int] = set()
        for node in self._syntax.all("comment"):
            at = node.range()
            if not self._lines[at.start.line][: at.start.column].strip():
                found.update(range(at.start.line + 1, at.end.line + 2))
        return frozenset(found)

    def _is_blank(self, line: int) -> bool:
        return line < 1 or line > len(self._lines) or not self._lines[line - 1].strip()

    def _below(self, line: int) -> _Target | None:
        """Return what a comment on a line of its own speaks of."""
        first = last = line
        while first - 1 in self._comment_lines:
            first -= 1
        while last + 1 in self._comment_lines:
            last += 1
        if self._is_blank(last + 1) and not self._is_blank(first - 1):
            above = self._ending(first - 1)
            if above is not None:
                return _Target(self._syntax, above)
        below = last + 1
        while below <= len(self._lines) and (self._is_blank(below) or below in self._comment_lines):
            below += 1
        if below > len(self._lines) or self._lines[below - 1].lstrip().startswith(("}", ")")):
            return None
        return self._at(below)

    def _beside(self, line: int) -> _Target | None:
        """Return what a comment behind code speaks of."""
        ending = self._ending(line)
        if ending is not None:
            return _Target(self._syntax, ending)
        return self._at(line) if re.search(r"\w", _code_of(self._lines[line - 1].partition("//")[0])) else None

    def _at(self, line: int) -> _Target:
        nodes = [node for kind in _STARTS for node in self._syntax.nodes(kind, line)]
        text = self._lines[line - 1]
        indent = len(text) - len(text.lstrip())
        first = [node for node in nodes if node.range().start.column == indent]
        node = max(first, key=lambda one: one.range().end.index, default=None)
        return _Target(self._syntax, node, line)

    def _ending(self, line: int) -> SgNode | None:
        """Return the outermost statement or declaration that ends on a line and does not begin before its block."""
        found = [
            node
            for kind in (*_DECLARATIONS, *_COMPOUND, *_SIMPLE)
            for node in self._syntax.all(kind)
            if node.range().end.line + 1 == line and kind not in {"expression_case", "default_case", "type_case"}
        ]
        return max(found, key=lambda one: one.range().end.index - one.range().start.index, default=None)


class _Target:
    """A node that a directive speaks of, or one line inside a statement where there is none."""

    def __init__(self, syntax: GoFile, node: SgNode | None, line: int = 0) -> None:
        self._syntax = syntax
        self._node = node
        self._line = node.range().start.line + 1 if node is not None else line
        self._is_function = node is not None and node.kind() in _DECLARATIONS

    def of(self, tool: str, word: Word) -> tuple[frozenset[int], Declaration | None, Declaration | None]:
        """Return the lines that a word speaks of, the function if it is about one, and the function around."""
        if self._is_function and self._node is not None:
            declared = _declaration(self._node)
            if tool == "gcassert" and word is not Word.INLINE:  # of the line with the name, as gcassert has it
                return frozenset({self._line}), None, declared
            return frozenset(range(declared.first_line, declared.last_line + 1)), declared, declared
        around = [node for node in self._syntax.functions(self._line) if node.kind() in _DECLARATIONS]
        return self.lines, None, _declaration(around[0]) if around else None

    @cached_property
    def lines(self) -> frozenset[int]:
        """The lines of a statement, those inside its blocks and func literals left out."""
        if self._node is None:
            return frozenset({self._line})
        at = self._node.range()
        first, last = at.start.line + 1, at.end.line + 1
        kind = self._node.kind()
        if kind in _COMPOUND:
            return frozenset(range(first, self._header_end(self._node) + 1))
        lines = set(range(first, last + 1))
        for literal in self._node.find_all(kind="func_literal"):
            body = literal.field("body")
            if body is not None:
                lines -= set(range(body.range().start.line + 2, body.range().end.line + 1))
        return frozenset(lines)

    @staticmethod
    def _header_end(node: SgNode) -> int:
        """Return the line on which what is before a statement's block ends."""
        inside = node.field(_COMPOUND[node.kind()]) if _COMPOUND[node.kind()] else None
        if inside is not None:
            return inside.range().start.line + 1
        brace = next((child for child in node.children() if child.kind() in {"{", ":"}), None)
        return (brace or node).range().start.line + 1

    @cached_property
    def calls(self) -> int:
        """Calls on the lines, of builtin functions and conversions too."""
        return sum(len(self._syntax.nodes("argument_list", line)) for line in self.lines)

    def problem(self, text: str, word: Word) -> str:
        """Say why a directive makes no sense here; "" when it does."""
        if self._node is not None and self._node.kind() in _IDLE | {"const_spec", "method_elem", "import_spec"}:
            return f"{text} speaks of a declaration without code: put it above a statement or a function"
        if self._is_function:
            has_body = self._node is not None and self._node.field("body") is not None
            return "" if has_body else f"{text} speaks of a function without a body: nothing is compiled there"
        if word is Word.INLINE and not self._holds(_CALLS):
            return f"{text} speaks of a line that calls nothing"
        if word is Word.BCE and not self._holds(_INDEXED):
            return f"{text} speaks of a line that indexes and calls nothing"
        return ""

    def _holds(self, kinds: tuple[str, ...]) -> bool:
        return any(self._syntax.nodes(kind, line) for kind in kinds for line in self.lines)


def _declaration(node: SgNode) -> Declaration:
    at = node.range()
    name = node.field("name")
    receiver = node.field("receiver")
    named = name.text() if name is not None else ""
    parameters = node.field("parameters")
    is_generic = node.field("type_parameters") is not None
    if receiver is not None:
        written = receiver.text()
        has_own = (  # without_method_type_parameters left blanks
            name is not None and parameters is not None and name.range().end.index < parameters.range().start.index
        )
        is_generic = has_own or "[" in written
        bare = re.sub(r"\[.*\]", "", written.strip("()"), flags=re.DOTALL).replace("*", " * ").split()
        kind = bare[-1] if bare else ""
        named = f"(*{kind}).{named}" if "*" in bare else f"{kind}.{named}"
    return Declaration(named, at.start.line + 1, at.end.line + 1, is_generic)


def function_at(syntax: GoFile, line: int) -> str:
    """Return the declared function around a line as Site spells it, "" at package level."""
    around = [node for node in syntax.functions(line) if node.kind() in FUNCTIONS[:2]]
    return _declaration(around[0]).name if around else ""
