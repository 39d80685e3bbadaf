"""The list of patterns with mechanical edits. To add one: `edit.py` in the pattern's folder, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from whyheap.model.edit import Edit
from whyheap.model.finding import Finding
from whyheap.patterns.append_growth.edit import edit as append_growth
from whyheap.patterns.closure_by_reference.edit import edit as closure_by_reference
from whyheap.patterns.construction_per_call.edit import edit as construction_per_call
from whyheap.patterns.deferred_call_in_loop.edit import edit as deferred_call_in_loop
from whyheap.patterns.edit_source import EditSource
from whyheap.patterns.error_per_call.edit import edit as error_per_call
from whyheap.patterns.loop_variable_address.edit import edit as loop_variable_address
from whyheap.patterns.map_storage.edit import edit as map_storage
from whyheap.patterns.pool_boxing.edit import edit as pool_boxing
from whyheap.patterns.reflection_call.edit import edit as reflection_call
from whyheap.patterns.string_concatenation.edit import edit as string_concatenation
from whyheap.patterns.string_conversion.edit import edit as string_conversion
from whyheap.patterns.unguarded_copy.edit import edit as unguarded_copy
from whyheap.patterns.variadic_any.edit import edit as variadic_any


class Editor(Protocol):
    """Turns a finding into an edit of the file that it stands in, or says why it does not.

    An edit keeps the meaning: what is evaluated, in which order, how often, what aliases what, nil where it was nil. It
    need not find out whether it helps: the proof does. Where it is not sure it raises UneditableError, whose words end
    the sentence "not automatic: ...".
    """

    def __call__(self, finding: Finding, source: EditSource) -> Edit:
        """Return the edit. Raises UneditableError."""
        ...


EDITORS: Final[Mapping[str, Editor]] = MappingProxyType(
    {
        "append-growth": append_growth,
        "closure-by-reference": closure_by_reference,
        "construction-per-call": construction_per_call,
        "deferred-call-in-loop": deferred_call_in_loop,
        "error-per-call": error_per_call,
        "loop-variable-address": loop_variable_address,
        "map-storage": map_storage,
        "pool-boxing": pool_boxing,
        "reflection-call": reflection_call,
        "string-concatenation": string_concatenation,
        "string-conversion": string_conversion,
        "unguarded-copy": unguarded_copy,
        "variadic-any": variadic_any,
    }
)
