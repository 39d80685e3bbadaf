"""The list of patterns, in order of precedence: what allocates is told before the way it takes.

To add a pattern: a folder with `__init__.py` (docstring in five headings, PATTERN, match) and example.go, and one line
in RULES at its place.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from whyheap.errors import UsageError
from whyheap.patterns import (
    append_growth,
    callee_allocation,
    channel_creation,
    channel_send,
    closure_by_reference,
    compiler_reason,
    construction_per_call,
    contained_value,
    deferred_call_in_loop,
    error_per_call,
    escaping_closure,
    global_store,
    goroutine_capture,
    indirect_call_argument,
    interface_boxing,
    interface_method_argument,
    leaking_parameter,
    loop_outliving_value,
    loop_variable_address,
    map_storage,
    method_value,
    oversized_value,
    pointer_store,
    pool_boxing,
    reflection_call,
    returned_address,
    string_concatenation,
    string_conversion,
    type_parameter_method,
    unguarded_copy,
    unsafe_pointer,
    variable_size_make,
    variadic_any,
    variadic_slice,
)
from whyheap.patterns.pattern import Pattern, Rule

RULES: Final[tuple[Rule, ...]] = (
    loop_variable_address,
    variadic_any,
    variadic_slice,
    error_per_call,
    append_growth,
    oversized_value,
    variable_size_make,
    closure_by_reference,
    deferred_call_in_loop,
    goroutine_capture,
    method_value,
    escaping_closure,
    string_concatenation,
    string_conversion,
    pool_boxing,
    reflection_call,
    interface_boxing,
    map_storage,
    channel_creation,
    unsafe_pointer,
    global_store,
    channel_send,
    pointer_store,
    returned_address,
    loop_outliving_value,
    contained_value,
    type_parameter_method,
    interface_method_argument,
    indirect_call_argument,
    leaking_parameter,
)
"""Patterns that claim heap facts: the first match wins."""

HAZARDS: Final[tuple[Rule, ...]] = (unguarded_copy,)
"""Patterns that claim bounds checks which the compiler kept: risks, which allocate nothing (patterns/hazard.py)."""

PATTERNS: Final[tuple[Pattern, ...]] = (
    *(rule.PATTERN for rule in RULES),
    construction_per_call.PATTERN,
    callee_allocation.PATTERN,
    *(rule.PATTERN for rule in HAZARDS),
)
"""All patterns with a folder of their own; two speak of what a call allocates, the hazards of no allocation."""

REASONS: Final[tuple[Pattern, ...]] = compiler_reason.PATTERNS
"""Names for what no pattern claims, after the compiler's own reason."""

_BY_SLUG: Final = {pattern.slug: pattern for pattern in (*PATTERNS, *REASONS)}


def get(slug: str) -> Pattern:
    """Return the pattern of a slug; UsageError with the nearest slug when there is none."""
    pattern = _BY_SLUG.get(slug)
    if pattern is None:
        near = get_close_matches(slug, [pattern.slug for pattern in PATTERNS], n=1, cutoff=0.6)
        hint = f"Did you mean {near[0]}?  " if near else ""
        raise UsageError(f"There is no pattern {slug!r}.", f"{hint}All of them:  whyheap patterns")
    return pattern
