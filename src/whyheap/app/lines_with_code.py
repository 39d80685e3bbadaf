"""Which lines of a Go file have code, told from its syntax: the compiler is silent about most of them."""

from __future__ import annotations

_TOKENS = (
    "identifier",
    "field_identifier",
    "int_literal",
    "float_literal",
    "imaginary_literal",
    "rune_literal",
    "interpreted_string_literal",
    "raw_string_literal",
    "true",
    "false",
    "nil",
    "iota",
)
_STATEMENTS = (
    "return_statement",
    "break_statement",
    "continue_statement",
    "goto_statement",
    "fallthrough_statement",
    "go_statement",
    "defer_statement",
    "select_statement",
    "for_statement",
)


def lines_with_code(text: str) -> list[int]:
    """Return the 1-based lines on which a statement stands or goes on: inside functions, or a variable's value."""
    from ast_grep_py import SgRoot  # noqa: PLC0415 - loads a native parser: only where it is asked for

    root = SgRoot(text, "go").root()
    kinds = [{"kind": kind} for kind in (*_TOKENS, *_STATEMENTS)]
    inside = {"any": [{"kind": "block"}, {"kind": "expression_list"}], "stopBy": "end"}
    constant = {"inside": {"kind": "const_declaration", "stopBy": "end"}}
    rule = {"any": kinds, "inside": inside, "not": constant}
    found = root.find_all({"rule": rule})  # type: ignore[call-overload] # a dict for its TypedDict
    return sorted({node.range().start.line + 1 for node in found})
