"""Writes a simple Sprintf with strconv and +, where that makes fewer allocations.

What each verb prints of a plain value: fmt/print.go and fmt/format.go (Go 1.22 to 1.27). A type with a method that fmt
would call (Format, String, Error) is left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from whyheap.model.edit import Edit
from whyheap.model.finding import Finding
from whyheap.model.go_types import GoType
from whyheap.parse.go_quoted import go_quoted
from whyheap.patterns.edit_source import EditSource, UneditableError, arguments, has_comment, replace

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_PIECE = re.compile(r"%([-+# 0-9.*\[\]]*.)|([^%]+)", re.DOTALL)
"""A verb with its flags, of which none has an equal in strconv, or text."""
_SIGNED = frozenset({"int", "rune", "int8", "int16", "int32", "int64"})
_UNSIGNED = frozenset({"uint", "byte", "uint8", "uint16", "uint32", "uint64", "uintptr"})
_CALLED_BY_FMT = frozenset({"Format", "String", "Error"})
_HOLDERS = frozenset(
    {
        "argument_list",
        "expression_list",
        "return_statement",
        "literal_element",
        "keyed_element",
        "parenthesized_expression",
        "var_spec",
    }
)
_MOST_PIECES = 8


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the text. `saved`: how many allocations fewer than boxing the value costs; `packages` it needs."""

    text: str
    saved: int = 0
    uses_strconv: bool = False


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
    new = " + ".join(piece.text for piece in pieces).replace("\0", strconv)
    if (len(pieces) > 1 or " " in pieces[0].text) and parent.kind() not in _HOLDERS:
        new = f"({new})"
    imports = ["strconv"] if any(piece.uses_strconv for piece in pieces) else []
    brings = (r" \+ ", r"^string\(", r"^strconv\.") if len(pieces) > 1 or imports else ()
    return source.edit(
        finding,
        f"{' '.join(call.text().split())} -> {new}",
        [replace(call, new)],
        imports=imports,
        brings=brings,
        lines=range(source.line(call.range().start.index), source.line(call.range().end.index) + 1),
    )


def _pieces(call: SgNode, source: EditSource) -> list[_Piece]:
    given = arguments(call)
    if any(one.kind() == "variadic_argument" for one in given) or not given:
        raise UneditableError("the arguments are handed on as they came")
    called = source.called(call)
    if called == "fmt.Sprint" and len(given) == 1:
        piece = _value("v", given[0], source)
        return [piece]
    if called != "fmt.Sprintf":
        raise UneditableError("only fmt.Sprintf and fmt.Sprint have an exact equal in strconv")
    format_ = source.constant(given[0])
    if format_ is None:
        raise UneditableError("the format is no constant")
    return _of_format(format_, given[1:], source)


def _of_format(format_: str, values: list[SgNode], source: EditSource) -> list[_Piece]:
    """Return the texts between the verbs and the values, in order."""
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
        value = next(left, None)
        used += 1
        if value is None:
            raise UneditableError("a value is missing")
        piece = _value(verb, value, source)
        pieces += [_Piece(go_quoted(literal)), piece] if literal else [piece]
        literal = ""
    if used != len(values):
        raise UneditableError("there are more values than verbs")
    pieces += [_Piece(go_quoted(literal))] if literal else []
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
        return _Piece(f"\0.Quote({_as('string', text, of)})", uses_strconv=True)
    if basic == "bool" and verb in "tv":
        return _Piece(f"\0.FormatBool({_as('bool', text, of)})", uses_strconv=True)
    if basic == "int" and verb in "dv":
        return _Piece(f"\0.Itoa({_as('int', text, of)})", uses_strconv=True)
    if basic in _SIGNED and verb in "dvx":
        return _Piece(f"\0.FormatInt({_as('int64', text, of)}, {_base(verb)})", uses_strconv=True)
    if basic in _UNSIGNED and verb in "dvx" and basic != "uintptr":
        return _Piece(f"\0.FormatUint({_as('uint64', text, of)}, {_base(verb)})", uses_strconv=True)
    raise plain


def _base(verb: str) -> int:
    return 16 if verb == "x" else 10


def _as(wanted: str, text: str, of: GoType) -> str:
    return text if of.text == wanted else f"{wanted}({text})"
