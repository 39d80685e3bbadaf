"""What a result says of tests that failed for another reason than a broken rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from whyheap.model.violation import GateResult


def failed_words(result: GateResult) -> str:
    """Say what failed; where no package's tests ran at all, say that: nothing was tested that could fail."""
    if "tests" in result.checked and not result.checked.get("packages"):
        return "nothing could be tested: there is no such package, or it does not build"
    return "ordinary tests failed"
