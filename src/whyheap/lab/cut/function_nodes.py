"""Parameters and results of a function's node, as the cutter needs them."""

from __future__ import annotations

from collections.abc import Sequence

from ast_grep_py import SgNode

from whyheap.lab.cut.tree import named_children


def given_back(name: str, kind: str, _: SgNode | None, cut: str) -> str:
    """Return what a bare return gives back of one result."""
    if name == "_":
        return f"*new({kind})"
    return f"whyCut({name})" if name == cut else name


def is_plain(kind: str) -> bool:
    """Whether a type's text means the same in every package."""
    bare = kind.replace("[]", "").replace("*", "")
    return bare in {"any", "interface{}", "error", "byte", "string", "int", "uint64", "int64"}


def parameter_names(function: SgNode) -> list[SgNode]:
    """Return the names of receiver and parameters."""
    groups = [function.field("receiver"), function.field("parameters")]
    return [
        name
        for group in groups
        if group is not None
        for declared in named_children(group)
        for name in named_children(declared)
        if name.kind() == "identifier"
    ]


def results_of(function: SgNode) -> list[tuple[str, str, SgNode | None]]:
    """Return name, type and the name's node of each result."""
    result = function.field("result")
    if result is None:
        return []
    if result.kind() != "parameter_list":
        return [("", result.text(), None)]
    found: list[tuple[str, str, SgNode | None]] = []
    for declared in named_children(result):
        kind = declared.field("type")
        names = [one for one in named_children(declared) if one.kind() == "identifier"]
        text = kind.text() if kind is not None else declared.text()
        found += [(one.text(), text, one) for one in names] or [("", text, None)]
    return found


def result_number(subject: str, results: Sequence[tuple[str, str, SgNode | None]]) -> int:
    """Return which result `~r1` or a name means, -1 if none."""
    if subject.startswith("~r") and subject[2:].isdigit():
        return int(subject[2:]) if int(subject[2:]) < len(results) else -1
    return next((number for number, (name, _, _) in enumerate(results) if name == subject), -1)
