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
    closure_by_reference,
    compiler_reason,
    escaping_closure,
    global_store,
    goroutine_capture,
    interface_boxing,
    leaking_parameter,
    map_storage,
    returned_address,
    string_concatenation,
    string_conversion,
    variadic_any,
)
from whyheap.patterns.pattern import Pattern, Rule

RULES: Final[tuple[Rule, ...]] = (
    variadic_any,
    append_growth,
    closure_by_reference,
    goroutine_capture,
    escaping_closure,
    string_concatenation,
    string_conversion,
    interface_boxing,
    map_storage,
    global_store,
    returned_address,
    leaking_parameter,
)
"""Patterns that claim heap facts: the first match wins."""

PATTERNS: Final[tuple[Pattern, ...]] = (*(rule.PATTERN for rule in RULES), callee_allocation.PATTERN)
"""All patterns with a folder of their own."""

REASONS: Final[tuple[Pattern, ...]] = compiler_reason.PATTERNS
"""Names for what no pattern claims, after the compiler's own reason."""

_BY_SLUG: Final = {pattern.slug: pattern for pattern in (*PATTERNS, *REASONS)}


def get(slug: str) -> Pattern:
    """Return the pattern of a slug; UsageError with the nearest slug when there is none."""
    pattern = _BY_SLUG.get(slug)
    if pattern is None:
        near = get_close_matches(slug, _BY_SLUG, n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]}?  " if near else ""
        raise UsageError(f"There is no pattern {slug!r}.", f"{hint}All of them:  whyheap patterns")
    return pattern
