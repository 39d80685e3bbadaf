"""Tells named map types from others: the compiler prints `T{...}` for maps, slices and structs, `make(T, n)` for two.

A map or slice literal is spilled for its own storage, a struct literal only for the copy behind an interface
(cmd/compile/internal/escape/expr.go: OMAPLIT, OSLICELIT, OCONVIFACE).
"""

from __future__ import annotations

from collections.abc import Callable

from whyheap.goruntime.allocators import AllocatorKind, kind_of
from whyheap.model.evidence import Evidence
from whyheap.patterns.escape import Escape, Storage
from whyheap.patterns.syntax import GoFile

_MAPS = frozenset(
    [
        "http.Header",
        "mail.Header",
        "model.LabelSet",
        "prometheus.Labels",
        "template.FuncMap",
        "textproto.MIMEHeader",
        "url.Values",
    ]
)
"""Named maps of the standard library, and two of Prometheus's that every service with metrics uses."""
_STORAGE = {"map_type": Storage.MAP, "slice_type": Storage.MADE, "struct_type": Storage.BOX, "array_type": Storage.BOX}


def literal_storage(
    evidence: Evidence, escape: Escape, file: GoFile | None, kind_of_type: Callable[[str, str], str]
) -> Storage:
    """Return what a printed `T{...}` stores, the escape's own storage where nothing tells.

    `file` is where the literal stands, `kind_of_type` tells the kind of a type by a file's name and the type's.
    """
    made = escape.subject.startswith("make(") and ", " in escape.subject
    name = escape.subject[len("make(") :].partition(", ")[0] if made else escape.subject.partition("{")[0]
    if not (made or escape.subject.endswith("}")) or not name.replace(".", "").isidentifier():
        return escape.storage
    if name in _MAPS:
        return Storage.MAP
    declared = kind_of_type(escape.fact.site.file, name)
    if declared in _STORAGE:
        return _STORAGE[declared]
    if file is not None and _has_text_keys(file, escape.fact.site.line, name):
        return Storage.MAP
    if _is_appended_to(escape):
        return Storage.MADE
    return _by_machine_code(evidence, made=made) or escape.storage


def _by_machine_code(evidence: Evidence, *, made: bool) -> Storage | None:
    """Tell by the line's allocator calls: a map is made, an array is allocated, nothing is boxed."""
    calls = evidence.calls or ()
    kinds = {kind_of(call.callee) for call in calls}
    if AllocatorKind.MAP in kinds and (AllocatorKind.SLICE if made else AllocatorKind.BOXING) not in kinds:
        return Storage.MAP
    arrays = any(kind_of(call.callee) is AllocatorKind.OBJECT and call.type.startswith("[") for call in calls)
    return Storage.MADE if arrays and AllocatorKind.BOXING not in kinds else None


def _is_appended_to(escape: Escape) -> bool:
    """Whether the value is assigned to a variable that append grows: then it is a slice."""
    names = [flow.to for flow in escape.fact.flow]
    return any(
        step.expr.startswith(f"append({name}, ") for flow in escape.fact.flow for step in flow.steps for name in names
    )


def _has_text_keys(file: GoFile, line: int, name: str) -> bool:
    """Whether a literal of the type has strings for keys: then it is a map's."""
    for literal in file.nodes("composite_literal", line):
        written, body = literal.field("type"), literal.field("body")
        if written is None or body is None or written.text() != name:
            continue
        for element in body.children():
            key = element.child(0) if element.kind() == "keyed_element" else None
            if key is not None and key.text()[:1] in ('"', "`"):
                return True
    return False
