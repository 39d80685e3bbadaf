"""Whether an edit did away with bounds checks: what the compiler kept before and after, at the lines that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from whyheap.model.edit import Edit
from whyheap.model.facts import CompilerFact
from whyheap.model.finding import Finding
from whyheap.proof.edited_lines import watched
from whyheap.proof.line_map import moved_lines
from whyheap.proof.workshop import EditedFile


def unchecked(
    edit: Edit, file: EditedFile, kept: Iterable[CompilerFact], findings: Mapping[str, Finding]
) -> Iterable[str]:
    """Yield the bounds checks of an edit's findings, if the lines that stand in their place have fewer.

    `kept` are those of the package with its edits; a check of inlined code counts where the code stands.
    """
    _, moved = moved_lines(file.before, file.text, watched(edit, file.before))
    before = {fact.site for name in edit.findings for fact in findings[name].facts}
    after = {fact.site for fact in kept if fact.site.file == file.file and fact.site.line in moved}
    if len(after) < len(before):
        yield from (f"bounds check of {findings[name].subject}" for name in edit.findings)
