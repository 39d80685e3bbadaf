"""Writes a simple Sprintf with strconv and +, where that makes fewer allocations.

What each verb prints of a plain value: fmt/print.go and fmt/format.go (Go 1.22 to 1.27). A type with a method that fmt
would call (Format, String, Error) is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from whyheap.model.edit import Edit
from whyheap.model.finding import Finding
from whyheap.model.go_types import GoType
from whyheap.parse.go_quoted import go_quoted, go_raw
from whyheap.patterns.edit_source import EditSource, UneditableError, arguments, begin, end, has_comment, replace
from whyheap.patterns.evaluation_order import check_calls_behind

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_PIECE = re.compile(r"%(.)|([^%]+)", re.DOTALL)
_LITERALS = frozenset({"interpreted_string_literal", "raw_string_literal"})
_FLAGS = frozenset("+-# 0123456789.*[")
_LINE_BREAK = re.compile(r"\s*\n\s*")
_BINARY = re.compile(r"\s|[-+*/&<>!]")
_SIGNED = frozenset({"int", "rune", "int8", "int16", "int32", "int64"})
_UNSIGNED = frozenset({"uint", "byte", "uint8", "uint16", "uint32", "uint64", "uintptr"})
_CALLED_BY_FMT = frozenset({"Format", "String", "Error"})
_TAKES_PART = frozenset({"index_expression", "selector_expression", "slice_expression"})
"""What binds closer than +; a sum in a sum of strings needs no parentheses either."""
_MOST_PIECES = 8
_WIDTH = 100  # columns, a tab being 4: how wide lines get where the call stood on several


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the text. `saved`: how many allocations fewer than boxing costs; `value` what a function prints."""

    text: str
    saved: int = 0
    value: SgNode | None = None

    @property
    def uses_strconv(self) -> bool:
        """Whether a function of strconv prints the value."""
        return self.value is not None


def edit(finding: Finding, source: EditSource) -> Edit:
    """Replace `fmt.Sprintf` of simple verbs, or `fmt.Sprint` of one value."""
    call = next((one for one in source.calls_around(finding) if source.called(one).startswith("fmt.Sprint")), None)
    if call is None:
        raise UneditableError("only fmt.Sprintf and fmt.Sprint have an exact equal in strconv")
    if has_comment(call):
        raise UneditableError("a comment stands in the call")
    pieces = _pieces(call, source)
    if sum(piece.saved for piece in pieces) + (len(pieces) == 1) < 1:
        raise UneditableError("strconv would allocate as often")
    parent = call.parent()
    if parent is None or parent.kind() == "expression_statement":
        raise UneditableError("the text is not used")
    strconv = source.package_name("strconv", call)
    if not strconv and any(piece.uses_strconv for piece in pieces):
        raise UneditableError("the name strconv means something else here")
    texts = [piece.text.replace("\0", strconv) for piece in pieces]
    new, laid_out = " + ".join(texts), _laid_out(texts, call, source)
    operand = parent.field("operand") if parent.kind() in _TAKES_PART else None
    is_plain = len(pieces) == 1 and (pieces[0].uses_strconv or not _BINARY.search(new))
    if operand is not None and begin(operand) == begin(call) and not is_plain:
        laid_out = f"({laid_out})"
    imports = ["strconv"] if any(piece.uses_strconv for piece in pieces) else []
    brings = (r" \+ ", r"^string\(", r"^strconv\.") if len(pieces) > 1 or imports else ()
    return source.edit(
        finding,
        _LINE_BREAK.sub(" ", f"{call.text()} -> {new}"),
        [replace(call, laid_out)],
        imports=imports,
        brings=brings,
        lines=range(source.line(begin(call)), source.line(end(call)) + 1),
    )


def _laid_out(texts: list[str], call: SgNode, source: EditSource) -> str:
    """Join the parts of a sum, in lines that are not too wide if the call had several."""
    if "\n" not in call.text():
        return " + ".join(texts)
    start = source.text.rfind("\n", 0, begin(call)) + 1
    indent = source.indentation(call) + "\t"
    width = len(source.text[start : begin(call)].expandtabs(4))
    lines = [""]
    for text in texts:
        if lines[-1] and width + len(lines[-1]) + len(text) + len(" +  +") > _WIDTH:
            lines.append("")
            width = len(indent.expandtabs(4))
        lines[-1] += f" + {text}" if lines[-1] else text
    return f" +\n{indent}".join(lines)


def _pieces(call: SgNode, source: EditSource) -> list[_Piece]:
    given = arguments(call)
    if any(one.kind() == "variadic_argument" for one in given) or not given:
        raise UneditableError("the arguments are handed on as they came")
    called = source.called(call)
    if called == "fmt.Sprint" and len(given) == 1:
        return [_value("v", given[0], source)]
    if called != "fmt.Sprintf":
        raise UneditableError("only fmt.Sprintf and fmt.Sprint have an exact equal in strconv")
    format_ = source.constant(given[0])
    if format_ is None:
        raise UneditableError("the format is no constant")
    if given[0].kind() not in _LITERALS:
        raise UneditableError("the format is a constant with a name, whose text would be written out")
    if "\ufffd" in format_:  # what bytes that are no UTF-8 became on the way here
        raise UneditableError("the format is not UTF-8")
    pieces = _of_format(format_, given[1:], source, go_raw if given[0].kind() == "raw_string_literal" else go_quoted)
    for piece in pieces:
        if piece.value is not None:
            check_calls_behind(source, piece.value, [one for one in given[1:] if begin(one) > begin(piece.value)])
    return pieces


def _of_format(format_: str, values: list[SgNode], source: EditSource, quoted: Callable[[str], str]) -> list[_Piece]:
    """Return the texts between the verbs, quoted, and the values, in order."""
    pieces: list[_Piece] = []
    literal = ""
    left = iter(values)
    used = 0
    if _PIECE.sub("", format_):
        raise UneditableError("the format ends in a %")
    for verb, text in _PIECE.findall(format_):
        if text or verb == "%":
            literal += text or "%"
            continue
        if verb in _FLAGS:
            raise UneditableError("a verb has a flag, a width or a precision")
        value = next(left, None)
        used += 1
        if value is None:
            raise UneditableError("a value is missing")
        if value.kind() in _LITERALS and verb in "sv" and "\ufffd" not in (text := source.constant(value) or ""):
            literal += text
            continue
        piece = _value(verb, value, source)
        pieces += [_Piece(quoted(literal)), piece] if literal else [piece]
        literal = ""
    if used != len(values):
        raise UneditableError("there are more values than verbs")
    pieces += [_Piece(quoted(literal))] if literal else []
    if not pieces or len(pieces) > _MOST_PIECES:
        raise UneditableError("the text has too many parts to be added up" if pieces else "the text is empty")
    return pieces


def _value(verb: str, node: SgNode, source: EditSource) -> _Piece:
    """Return what prints a value as a verb does."""
    of = source.type_of(node)
    plain = UneditableError(f"%{verb} of such a value has no exact equal that allocates less")
    if of is None or of.kind != "basic" or "untyped" in of.basic:
        if of is None or source.constant(node) is None:
            raise plain
        return _constant(verb, node, source, plain)
    if verb != "d" and _CALLED_BY_FMT & set(of.methods):
        raise UneditableError(f"{of.text} has a method that fmt calls")
    if "Format" in of.methods:
        raise UneditableError(f"{of.text} has a method that fmt calls")
    return _of_type(verb, node, of, plain, is_constant=source.constant(node) is not None)


def _constant(verb: str, node: SgNode, source: EditSource, plain: UneditableError) -> _Piece:
    """Print a constant of no type, a string: others are rare."""
    of, value = source.type_of(node), source.constant(node)
    if of is None or value is None or "string" not in of.basic or verb not in "sv":
        raise plain
    return _Piece(node.text())


def _of_type(verb: str, node: SgNode, of: GoType, plain: UneditableError, *, is_constant: bool) -> _Piece:
    text, basic = node.text(), of.basic
    if basic == "string" and verb in "sv":
        return _Piece(_as("string", text, of), saved=0 if is_constant else 1)
    if basic == "string" and verb == "q":
        return _Piece(f"\0.Quote({_as('string', text, of)})", value=node)
    if basic == "bool" and verb in "tv":
        return _Piece(f"\0.FormatBool({_as('bool', text, of)})", value=node)
    if basic == "int" and verb in "dv":
        return _Piece(f"\0.Itoa({_as('int', text, of)})", value=node)
    if basic in _SIGNED and verb in "dvx":
        return _Piece(f"\0.FormatInt({_as('int64', text, of)}, {_base(verb)})", value=node)
    if basic in _UNSIGNED and verb in "dvx" and basic != "uintptr":
        return _Piece(f"\0.FormatUint({_as('uint64', text, of)}, {_base(verb)})", value=node)
    raise plain


def _base(verb: str) -> int:
    return 16 if verb == "x" else 10


def _as(wanted: str, text: str, of: GoType) -> str:
    return text if of.text == wanted else f"{wanted}({text})"
