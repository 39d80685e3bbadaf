"""Tells a bound method from a boxed field: the compiler prints `x.M` for both.

expr.go, OMETHVALUE, spills a closure; OCONVIFACE spills the copy behind an interface. Only the declarations tell which
one a selector is, or where it goes: a func is stored as a func, a box as an interface.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from whyheap.goruntime.allocators import AllocatorKind, kind_of
from whyheap.model.facts import AllocatorCall
from whyheap.patterns.escape import Escape, Route
from whyheap.patterns.syntax import GoFile

_SELECTOR = re.compile(r"[\w.()*\[\]]*[\w)\]]\.([^\W\d]\w*)$|[^\"]*\}\.([^\W\d]\w*)$")
_MEMBER = re.compile(r"[^\"]*[\w)\]}]\.[^\W\d]\w*$")
_CLOSURE = "struct { F uintptr; R "
"""How the closure of a bound method begins: cmd/compile/internal/typecheck/func.go, MethodValueType (1.22 to 1.27)."""
_STORED = re.compile(r"\b(\w+)$")
# Methods of other packages' types, by the verbs that method values are mostly made of.
_VERBS = re.compile(
    r"(?:Close|Stop|Done|Cancel|Release|Unlock|Shutdown|Flush|Wait|Sub|Get|Has|Is|Handle|Serve|Run|Start|Watch|Notify"
    r"|Validate|Verify)(?:[A-Z]\w*)?$"
)


def is_bound(escape: Escape, file: GoFile | None, package: Callable[[str], list[GoFile]]) -> bool:
    """Whether a spilled selector is a bound method; `package` returns the syntax of the files beside one."""
    selector = _SELECTOR.match(escape.subject)
    if selector is None or (selector[1] or "").startswith("autotmp"):
        return False
    if escape.converted:
        return True  # boxed once more: a func fits into an interface as it is, so the spilled thing is the func
    if escape.route is Route.VARIADIC or file is None:
        return False
    name = selector[1] or selector[2]
    files = package(escape.fact.site.file)
    stored = next(_stored_type(escape, files), "")
    if stored:
        return stored.startswith("func") or name in _any_methods(files)
    declared, field = name in _any_methods(files), any(name in one.fields for one in files)
    if declared != field:
        return declared and not _is_result_of_any(escape, file)
    return not declared and bool(_VERBS.match(name))


def is_made(subject: str, calls: Iterable[AllocatorCall] | None) -> bool:
    """Whether a spilled selector is a bound method because its line makes the closure of one, and boxes nothing."""
    there = tuple(calls or ())
    return (
        any(call.type.startswith(_CLOSURE) for call in there)
        and all(kind_of(call.callee) is not AllocatorKind.BOXING for call in there)
        and _MEMBER.match(subject) is not None
    )


def _any_methods(files: list[GoFile]) -> frozenset[str]:
    return frozenset().union(*(one.methods for one in files))


def _stored_type(escape: Escape, files: list[GoFile]) -> Iterator[str]:
    """Yield the written type of the field that the value is assigned to, where the package declares it."""
    target = _STORED.search(escape.target) if escape.route is Route.ASSIGN else None
    if target is not None:
        yield from (one.fields[target[1]] for one in files if target[1] in one.fields)


def _is_result_of_any(escape: Escape, file: GoFile) -> bool:
    """Whether the value is returned by a function that returns any."""
    if escape.route is not Route.RETURN:
        return False
    return bool({"any", "interface"} & file.results(escape.fact.site.line))
