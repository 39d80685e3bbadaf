"""Lets copy itself find out what fits: `copy(dst[:len(src)], src)` becomes `copy(dst, src)`, where that is the same.

A slice expression may reach behind the length of a slice, up to its capacity (go.dev/ref/spec, Slice expressions), and
copy does not. So the argument that is cut must have no room behind its length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from whyheap.model.edit import Edit
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
from whyheap.patterns.loop_count import is_set
from whyheap.patterns.unguarded_copy import UnguardedCopy, unguarded_copies

if TYPE_CHECKING:
    from ast_grep_py import SgNode


def edit(finding: Finding, source: EditSource) -> Edit:
    """Hand the whole of what is cut to copy."""
    line, column = finding.site.line, finding.site.column
    found = [one for one in unguarded_copies(source.syntax, line) if source.syntax.column(one.cut) == column]
    one = next((one for one in found if source.is_builtin(one.call.field("function"), "copy")), None)
    operand = one.cut.field("operand") if one is not None else None
    if one is None or operand is None:
        raise UneditableError("it is no call of Go's own copy")
    if not one.is_whole or not source.is_steady(operand) or not source.is_steady(one.other):
        raise UneditableError("what is copied does not begin where both begin, or is computed by the call itself")
    _check_length(source, one)
    parent = one.call.parent()
    if parent is None or parent.kind() != "expression_statement":
        raise UneditableError("the number of elements copied is used")
    if has_comment(one.call):
        raise UneditableError("a comment stands in it")
    whole = _whole(source, operand)
    always_fits = _always_fits(source, operand, one.other)
    if not always_fits:
        _check_nobody_counts_on_it(source, one)
    new = ", ".join(whole if begin(given) == begin(one.cut) else given.text() for given in arguments(one.call))
    caution = "" if always_fits else "what does not fit is left out and no longer panics"
    title = f"{one.call.text()} -> copy({new}): {caution or 'it always fits'}"
    return source.edit(finding, title, [replace(one.cut, whole)], unchecks=True, caution=caution)


def _check_length(source: EditSource, one: UnguardedCopy) -> None:
    """Refuse a len that is somebody's own function."""
    last = one.cut.field("end")
    if last is None or not source.is_builtin(last.field("function"), "len"):
        raise UneditableError("it is not cut to a length")


def _whole(source: EditSource, operand: SgNode) -> str:
    """Return all of what is cut, if it has no room behind its length."""
    of = source.type_of(operand)
    element = source.element(of) if of is not None and of.kind == "pointer" else None
    if of is not None and (of.kind == "array" or (element is not None and element.kind == "array")):
        return f"{operand.text()}[:]"
    if of is not None and of.kind == "basic" and "string" in of.basic:
        return operand.text()
    if of is not None and of.kind == "slice" and _is_made_full(source, operand):
        return operand.text()
    raise UneditableError(f"{operand.text()} may have room behind its length, which is filled now and would not be")


def _is_made_full(source: EditSource, operand: SgNode) -> bool:
    """Whether a local variable is what make made with a length alone, and nothing else ever."""
    return _made_length(source, operand) is not None


def _made_length(source: EditSource, operand: SgNode) -> SgNode | None:
    """Return the length of a local slice that is what `make([]T, length)` made, and nothing else ever."""
    found = source.object_of(operand) if operand.kind() == "identifier" else None
    if found is None or found.kind != "var" or found.level != "local":
        return None
    uses = source.mentions(operand)
    declared = uses[0].parent() if uses else None
    holder = declared.parent() if declared is not None else None
    left, right = (holder.field("left"), holder.field("right")) if holder is not None else (None, None)
    if holder is None or holder.kind() != "short_var_declaration" or left is None or right is None:
        return None
    names, values = named(left), named(right)
    made = values[0] if len(names) == len(values) == 1 else None
    if made is None or made.kind() != "call_expression" or not source.is_builtin(made.field("function"), "make"):
        return None
    if len(arguments(made)) != 2 or any(is_set(source, use) for use in uses[1:]):  # noqa: PLR2004 - type, length
        return None
    return arguments(made)[1]


def _always_fits(source: EditSource, operand: SgNode, other: SgNode) -> bool:
    """Whether a slice was made for what is copied and more: `make([]T, len(other)+len(more))`."""
    length = _made_length(source, operand)
    found = source.object_of(other) if other.kind() == "identifier" else None
    if length is None or found is None or found.level != "local":
        return False
    if any(is_set(source, use) for use in source.mentions(other)):
        return False
    terms = _terms(length)
    measured = [arguments(one)[0] for one in terms if source.is_builtin(one.field("function"), "len")]
    others = [one for one in terms if not source.is_builtin(one.field("function"), "len")]
    is_more = all((value := source.constant(one)) is not None and value.isdecimal() for one in others)
    return is_more and any(one.kind() == "identifier" and source.is_same(one, other) for one in measured)


def _terms(node: SgNode) -> list[SgNode]:
    """Cut a sum into its terms."""
    operator = node.field("operator") if node.kind() == "binary_expression" else None
    left, right = node.field("left"), node.field("right")
    if operator is None or operator.text() != "+" or left is None or right is None:
        return [node]
    return [*_terms(left), *_terms(right)]


def _check_nobody_counts_on_it(source: EditSource, one: UnguardedCopy) -> None:
    """Refuse where the function goes on with what gave the length, as if all of it had been copied.

    So does one that catches panics: it may do so for this one.
    """
    declaration = source.declaration(begin(one.call))
    if declaration is None or any(word.text() == "recover" for word in identifiers(declaration)):
        raise UneditableError("the function catches panics")
    root = next(iter(identifiers(one.other)))
    found = source.object_of(root)
    if found is None or found.level != "local":
        raise UneditableError(f"{one.other.text()} is seen by others, who may count on all of it having been copied")
    uses = [use for use in source.mentions(root) if not begin(one.call) <= begin(use) < end(one.call)]
    loop = next((up for up in [*one.call.ancestors()][::-1] if up.kind() == "for_statement"), None)
    is_older = loop is not None and bool(uses) and begin(uses[0]) < begin(loop)
    function = source.function(one.call)
    for use in uses:
        is_later = begin(use) > begin(one.call) or (is_older and loop is not None and begin(use) > begin(loop))
        around = source.function(use)
        is_kept = begin(use) != source.index(found.start) and any(
            up.kind() in {"assignment_statement", "short_var_declaration", "var_declaration"} for up in use.ancestors()
        )
        if is_kept or is_later or around is None or function is None or begin(around) != begin(function):
            raise UneditableError(f"later code uses {root.text()}, and may count on all of it having been copied")
