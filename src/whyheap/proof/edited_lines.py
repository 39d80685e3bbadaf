"""Which lines of a text edits are about, before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from whyheap.model.edit import Edit
from whyheap.model.finding import Finding
from whyheap.proof.line_map import moved_lines
from whyheap.proof.workshop import EditedFile


def watched(edit: Edit, before: str) -> frozenset[int]:
    """Return the lines of the text before whose allocations an edit is about."""
    touched = set(edit.lines)
    for change in edit.changes:
        first = before.count("\n", 0, change.start) + 1
        touched |= set(range(first, before.count("\n", 0, change.end) + 2))
    return frozenset(touched)


def at_lines(places: Iterable[tuple[str, int]], files: Sequence[EditedFile]) -> list[Edit]:
    """Return the edits that wrote one of these lines of the new texts."""
    found = []
    for one in files:
        wanted = {line for file, line in places if file == one.file}
        for edit in one.edits if wanted else ():
            _, lines = moved_lines(one.before, one.text, watched(edit, one.before))
            if wanted & lines:
                found.append(edit)
    return found


def owners(edit: Edit, findings: Mapping[str, Finding]) -> frozenset[str]:
    """Return the declared functions that an edit's findings are in."""
    return frozenset(findings[one].site.function.partition(".func")[0] for one in edit.findings)
