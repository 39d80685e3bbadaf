"""Writes sort.Slice as slices.SortFunc, and reflect.DeepEqual of plain slices and maps as slices.Equal, maps.Equal.

sort.Slice and slices.SortFunc run one algorithm (sort/zsortfunc.go and slices/zsortanyfunc.go are generated from
sort/gen_sort_variants.go, Go 1.21), which asks only whether a comparison is below 0: equal answers, equal order.
DeepEqual tells a nil slice from an empty one (reflect/deepequal.go), so that is compared, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from whyheap.model.edit import Change, Edit
from whyheap.model.finding import Finding
from whyheap.patterns.edit_source import (
    EditSource,
    UneditableError,
    arguments,
    begin,
    end,
    has_comment,
    identifiers,
    named,
    replace,
)

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_TYPED = {
    "sort.Slice": "SortFunc",
    "sort.SliceStable": "SortStableFunc",
}
_SLICES = (1, 21)  # go.dev/doc/go1.21: packages slices, maps and cmp
_TIME_COMPARE = (1, 20)  # time.Time.Compare
_MOST_ELEMENT_BYTES = 128
_COMPARERS = frozenset({"strings.Compare", "bytes.Compare", "cmp.Compare"})


def edit(finding: Finding, source: EditSource) -> Edit:
    """Replace a call that reflects by the typed one, where both mean the same."""
    if source.language < _SLICES:
        raise UneditableError("the package slices came with Go 1.21")
    for call in source.calls_around(finding):
        called = source.called(call)
        if called in _TYPED:
            return _sort(finding, source, call, _TYPED[called])
        if called == "reflect.DeepEqual":
            return _equal(finding, source, call)
    raise UneditableError("only sort.Slice and reflect.DeepEqual have a typed equal")


@dataclass(slots=True)
class _Comparison:
    """A less function that is being turned into one that compares."""

    source: EditSource
    indexes: tuple[SgNode, SgNode]
    names: tuple[str, str]
    slice_text: str
    cmp: str
    changes: list[Change] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)


def _sort(finding: Finding, source: EditSource, call: SgNode, name: str) -> Edit:
    given = arguments(call)
    if len(given) != 2 or given[1].kind() != "func_literal":  # noqa: PLR2004 - sort.Slice(x, less)
        raise UneditableError("the less function is written elsewhere")
    sorted_, less = given
    of = source.type_of(sorted_)
    element = source.element(of) if of is not None and of.kind == "slice" else None
    if of is None or element is None or not source.is_steady(sorted_):
        raise UneditableError("what is sorted is no variable of a slice type")
    if not element.nameable:
        raise UneditableError(f"the element's type {element.text} cannot be written in this file")
    if element.bytes > _MOST_ELEMENT_BYTES or element.bytes < 0:
        raise UneditableError("the elements are large, and each comparison would copy two of them")
    parameters = less.field("parameters")
    indexes = [one for one in named(parameters) if one.kind() == "parameter_declaration"] if parameters else []
    names = [one for declared in indexes for one in declared.field_children("name")]
    if len(names) != 2:  # noqa: PLR2004 - two indexes
        raise UneditableError("an index of the less function has no name")
    package, cmp = source.package_name("slices", call), source.package_name("cmp", call)
    if not package or not cmp:
        raise UneditableError("the name slices or cmp means something else here")
    first = source.fresh(call, "a", "x", "left")
    second = source.fresh(call, "b", "y", "right")
    comparison = _Comparison(source, (names[0], names[1]), (first, second), sorted_.text(), cmp)
    _turn(comparison, less)
    function, result = call.field("function"), less.field("result")
    if function is None or parameters is None or result is None or has_comment(parameters):
        raise UneditableError("the less function is written in an unusual way")
    changes = [
        replace(function, f"{package}.{name}"),
        replace(parameters, f"({first}, {second} {element.text})"),
        replace(result, "int"),
        *comparison.changes,
    ]
    title = f"{function.text()} -> {package}.{name}"
    lines = range(source.line(begin(call)), source.line(end(call)) + 1)
    imports = {"slices", *comparison.imports}
    return source.edit(finding, title, changes, imports=imports, lines=lines)


def _turn(comparison: _Comparison, less: SgNode) -> None:
    """Turn indexed elements into parameters and returned conditions into comparisons."""
    body = less.field("body")
    if body is None or body.find(kind="func_literal") is not None:
        raise UneditableError("the less function holds another function")
    source = comparison.source
    for index, name in zip(comparison.indexes, comparison.names, strict=True):
        for one in source.mentions(index, body):
            element = one.parent()
            held = element.field("operand") if element is not None and element.kind() == "index_expression" else None
            if element is None or held is None or held.text() != comparison.slice_text or begin(held) == begin(one):
                raise UneditableError("the less function uses its indexes for more than elements of what is sorted")
            if _is_changed(element):
                raise UneditableError("the less function takes an element's address or changes it")
            comparison.changes.append(replace(element, name))
    if _uses_slice_otherwise(comparison, body):
        raise UneditableError("the less function uses what is sorted for more than its two elements")
    statements = _statements(body)
    for statement in statements[:-1]:
        if statement.kind() not in {"if_statement", "short_var_declaration"}:
            raise UneditableError("the less function does more than compare")
    return _turn_returns(comparison, body, statements)


def _turn_returns(comparison: _Comparison, body: SgNode, statements: list[SgNode]) -> None:
    for returned in body.find_all(kind="return_statement"):
        values = named(returned)
        parts = named(values[0]) if values else []
        if len(parts) != 1:
            raise UneditableError("the less function returns in an unusual way")
        value = parts[0]
        if value.kind() in {"true", "false"}:
            if value.kind() == "false" or statements[-1].range().start.index == begin(returned):
                raise UneditableError("the less function does not tell which of two elements is greater")
            raise UneditableError("the less function returns a constant")
        _turn_condition(comparison, value)


def _turn_condition(comparison: _Comparison, value: SgNode) -> None:
    """Write `a < b` as cmp.Compare(a, b), `a.Before(b)` as a.Compare(b), `strings.Compare(a, b) < 0` without the 0."""
    unusual = UneditableError("what the less function returns is no simple comparison")
    if value.kind() == "call_expression":
        _turn_before(comparison, value, unusual)
        return None
    if value.kind() != "binary_expression":
        raise unusual
    left, operator, right = value.field("left"), value.field("operator"), value.field("right")
    if left is None or right is None or operator is None or operator.text() not in {"<", ">"}:
        raise unusual
    source = comparison.source
    if right.text() == "0" and operator.text() == "<" and source.called(left) in _COMPARERS:
        comparison.changes.append(Change(end(left), end(right), ""))
        return None
    of = source.type_of(left)
    if of is None or of.kind != "basic" or "float" in of.basic or "untyped" in of.basic:
        raise UneditableError("the order of what is compared is not that of cmp.Compare, as with NaN")
    first, second = (left, right) if operator.text() == "<" else (right, left)
    if operator.text() == ">" and (_calls(left) or _calls(right)):
        raise UneditableError("the order of two calls would change")
    comparison.imports.add("cmp")
    name = comparison.cmp
    if operator.text() == "<":
        comparison.changes += [
            Change(begin(left), begin(left), f"{name}.Compare("),
            Change(end(left), begin(right), ", "),
            Change(end(right), end(right), ")"),
        ]
        return None
    return _swapped(comparison, first, second)


def _swapped(comparison: _Comparison, first: SgNode, second: SgNode) -> None:
    """Write `x > y` as cmp.Compare(y, x): the elements in both change places with their texts."""
    texts = [_with_elements(comparison, one) for one in (first, second)]
    whole = (begin(second), end(first))
    comparison.changes = [one for one in comparison.changes if not (whole[0] <= one.start and one.end <= whole[1])]
    comparison.changes.append(Change(*whole, f"{comparison.cmp}.Compare({texts[0]}, {texts[1]})"))


def _with_elements(comparison: _Comparison, node: SgNode) -> str:
    """Return a node's text with the changes made inside of it."""
    text, start = node.text(), begin(node)
    for change in sorted(comparison.changes, reverse=True):
        if start <= change.start and change.end <= end(node):
            text = text[: change.start - start] + change.new + text[change.end - start :]
    return text


def _turn_before(comparison: _Comparison, call: SgNode, unusual: UneditableError) -> None:
    function = call.field("function")
    operand = function.field("operand") if function is not None else None
    name = function.field("field") if function is not None else None
    if operand is None or name is None or name.text() not in {"Before", "After"}:
        raise unusual
    of = comparison.source.type_of(operand)
    if of is None or of.text != "time.Time" or len(arguments(call)) != 1:
        raise unusual
    if name.text() == "Before":
        comparison.changes.append(replace(name, "Compare"))
        return
    other = arguments(call)[0]
    if _calls(operand) or _calls(other):
        raise UneditableError("the order of two calls would change")
    texts = (_with_elements(comparison, other), _with_elements(comparison, operand))
    comparison.changes = [one for one in comparison.changes if not (begin(call) <= one.start and one.end <= end(call))]
    comparison.changes.append(replace(call, f"{texts[0]}.Compare({texts[1]})"))


def _calls(node: SgNode) -> bool:
    return node.kind() == "call_expression" or node.find(kind="call_expression") is not None


def _statements(body: SgNode) -> list[SgNode]:
    lists = [one for one in named(body) if one.kind() == "statement_list"]
    return named(lists[0]) if lists else []


def _is_changed(element: SgNode) -> bool:
    parent = element.parent()
    while parent is not None and parent.kind() in {
        "selector_expression",
        "parenthesized_expression",
        "index_expression",
    }:
        parent = parent.parent()
    if parent is None:
        return False
    if parent.kind() == "unary_expression":
        operator = parent.field("operator")
        return operator is not None and operator.text() == "&"
    if parent.kind() in {"inc_statement", "dec_statement"}:
        return True
    holder = parent.parent()
    left = holder.field("left") if holder is not None else None
    return parent.kind() == "expression_list" and left is not None and begin(left) == begin(parent)


def _uses_slice_otherwise(comparison: _Comparison, body: SgNode) -> bool:
    """Whether the sorted slice is read by anything but the elements that become parameters."""
    covered = [(change.start, change.end) for change in comparison.changes]
    root = comparison.slice_text.split(".", 1)[0]
    for one in identifiers(body):
        if one.text() != root or any(start <= begin(one) < stop for start, stop in covered):
            continue
        parent = one.parent()
        whole = parent.text() if parent is not None else ""
        if "." not in comparison.slice_text or whole.startswith(comparison.slice_text):
            return True
    return False


def _equal(finding: Finding, source: EditSource, call: SgNode) -> Edit:
    given = arguments(call)
    if len(given) != 2 or not all(source.is_steady(one) for one in given) or has_comment(call):  # noqa: PLR2004
        raise UneditableError("DeepEqual is called with something else than two variables")
    types = [source.type_of(one) for one in given]
    of = types[0]
    if of is None or types[1] is None or of.text != types[1].text or of.kind not in {"slice", "map"}:
        raise UneditableError("DeepEqual compares other things than two slices or maps of one type")
    parts = [source.checked.types[number] for number in (of.elem, of.key) if number >= 0]
    if not all(one.plain for one in parts):
        raise UneditableError("== on the elements is not what DeepEqual does")
    path = "slices" if of.kind == "slice" else "maps"
    package = source.package_name(path, call)
    if not package:
        raise UneditableError(f"the name {path} means something else here")
    first, second = (one.text() for one in given)
    new = f"({first} == nil) == ({second} == nil) && {package}.Equal({first}, {second})"
    parent = call.parent()
    if parent is not None and parent.kind() in {"unary_expression", "binary_expression"}:
        new = f"({new})"
    return source.edit(finding, f"{call.text()} -> {new}", [replace(call, new)], imports=[path])
