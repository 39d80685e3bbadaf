"""Makes an error of constant text once: `var errTooMany = errors.New("too many")` above the function.

Two such errors are then equal where they were not: the edit says so, and a function that makes an error and nothing
else is left alone, as it may be called for one that equals no other. So is one that compares the error itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from whyheap.model.edit import Edit
from whyheap.model.finding import Finding
from whyheap.patterns.edit_source import EditSource, UneditableError, arguments, begin, named, replace
from whyheap.patterns.top_level import names_of, variable_before

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_CAUTION = "errors made here equal each other then (==, errors.Is), as they did not"
_MAKERS = frozenset({"errors.New", "fmt.Errorf"})


def edit(finding: Finding, source: EditSource) -> Edit:
    """Replace errors.New("constant"), or fmt.Errorf of a text without verbs, by a package variable."""
    call = next((one for one in source.calls_around(finding) if source.called(one) in _MAKERS), None)
    if call is None:
        raise UneditableError("the error is not made by errors.New or fmt.Errorf")
    given = arguments(call)
    text = source.constant(given[0]) if len(given) == 1 else None
    if text is None or given[0].kind() not in {"interpreted_string_literal", "raw_string_literal"}:
        raise UneditableError("the error's text is no constant")
    if source.called(call) == "fmt.Errorf" and "%" in text:
        raise UneditableError("the error's text has verbs")
    if _is_all(source, call):
        raise UneditableError("the function makes an error and nothing else, which may be meant to equal no other")
    _check_uncompared(source, call)
    errors = source.package_name("errors", call)
    if not errors:
        raise UneditableError("the name errors means something else here")
    value = f"{errors}.New({given[0].text()})"
    name = source.claim(names_of(text, "err"), call, value)
    changes = [variable_before(source, call, name, value), replace(call, name)]
    title = f"{call.text()} -> var {name}"
    brings = (r"^&errors\.errorString\{",)
    return source.edit(finding, title, changes, imports=["errors"], brings=brings, caution=_CAUTION)


def _is_all(source: EditSource, call: SgNode) -> bool:
    """Whether a function that is no method consists of `return errors.New(...)`."""
    function = source.function(call)
    body = function.field("body") if function is not None else None
    if function is None or body is None or function.kind() == "method_declaration":
        return False
    return body.text().strip("{} \t\n;") == f"return {call.text()}"


def _check_uncompared(source: EditSource, call: SgNode) -> None:
    """Refuse an error that the function keeps in a variable and compares, with another one of its text perhaps."""
    values = call.parent()
    holder = values.parent() if values is not None and values.kind() == "expression_list" else None
    if holder is None:
        return
    left = holder.field("left")
    for name in named(left) if left is not None else holder.field_children("name"):
        for one in source.mentions(name):
            around = one.parent()
            outer = around.parent() if around is not None and around.kind() == "argument_list" else None
            is_asked = outer is not None and source.called(outer).endswith("errors.Is")
            if is_asked or (around is not None and around.kind() == "binary_expression" and not _is_nil(around, one)):
                raise UneditableError("the function compares the error that it makes")


def _is_nil(comparison: SgNode, name: SgNode) -> bool:
    """Whether a variable is compared with nil."""
    sides = [comparison.field("left"), comparison.field("right")]
    return any(one is not None and begin(one) != begin(name) and one.text() == "nil" for one in sides)
