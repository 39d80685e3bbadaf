"""Patterns that Go's grammar takes for something else: `errors.New($X)` alone parses as a conversion to a type.

Measured on tree-sitter-go as ast-grep 0.39 ships it: a qualified name with exactly one argument, standing alone, is
a `type_conversion_expression`, and so never matches a call. Inside a function body the same text is a call.
"""

from __future__ import annotations

from typing import Any

_STANDS_FOR_DOLLAR = "\N{MICRO SIGN}"  # ast-grep's own choice for Go, where $ cannot be part of a name


def calls_meant(rule: Any) -> Any:  # noqa: ANN401 - any YAML value
    """Return a rule in which each pattern that reads as a call matches calls."""
    if isinstance(rule, list):
        return [calls_meant(part) for part in rule]
    if not isinstance(rule, dict):
        return rule
    return {
        key: _as_call(value) if key == "pattern" and isinstance(value, str) else calls_meant(value)
        for key, value in rule.items()
    }


def _as_call(pattern: str) -> str | dict[str, str]:
    from ast_grep_py import SgRoot  # noqa: PLC0415 - loads a native parser: only where there are rules

    if not pattern.rstrip().endswith(")"):
        return pattern
    root = SgRoot(pattern.replace("$", _STANDS_FOR_DOLLAR), "go").root()
    node = root
    while len(children := node.children()) == 1:
        node = children[0]
    if node.kind() != "type_conversion_expression" or node.text() != root.text().strip():
        return pattern
    return {"context": f"func _() {{ {pattern.strip()} }}", "selector": "call_expression"}
