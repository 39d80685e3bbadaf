"""What a result says of tests that failed for another reason than a broken rule."""

from __future__ import annotations

from whyheap.model.violation import NOT_BUILT, GateResult


def failed_words(result: GateResult) -> str:
    """Say what failed; where no package's tests were built at all, say that: nothing was tested that could fail."""
    unchecked = [note for note in result.notes if ": not checked" in note]
    unbuilt = [note for note in unchecked if note.endswith(NOT_BUILT)]
    if unbuilt and unbuilt == unchecked and not result.checked.get("packages"):
        return "nothing could be tested: there is no such package, or it does not build"
    return "ordinary tests failed"
