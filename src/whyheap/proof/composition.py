"""Puts edits into a file's text, and mends its imports: what the new text needs comes in, what nothing needs goes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from whyheap.model.edit import Change, Edit
from whyheap.patterns.edit_source import EditSource
from whyheap.proof.imports import mended

_WHOLE = ("\n", "\t", " ")
"""How an inserted statement or declaration ends, which may stand before or behind another one."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A file's new text, the edits in it, and those that would change what another one changes, too."""

    text: str
    edits: tuple[Edit, ...]
    clashing: tuple[Edit, ...] = ()


def merged(edits: Iterable[Edit]) -> list[Edit]:
    """Make one of edits that change the same: two findings of one call are mended by one edit."""
    by_changes: dict[tuple[str, tuple[Change, ...]], Edit] = {}
    for edit in edits:
        key = (edit.file, edit.changes)
        known = by_changes.get(key)
        by_changes[key] = edit if known is None else _both(known, edit)
    return sorted(by_changes.values(), key=lambda edit: (edit.file, edit.changes))


def _both(one: Edit, other: Edit) -> Edit:
    return Edit(
        one.pattern,
        one.file,
        one.title,
        one.changes,
        (*one.findings, *(name for name in other.findings if name not in one.findings)),
        one.imports | other.imports,
        tuple(dict.fromkeys((*one.brings, *other.brings))),
        one.stays and other.stays,
        tuple(sorted({*one.lines, *other.lines})),
        tuple(dict.fromkeys((*one.drops, *other.drops))),
        one.unchecks and other.unchecks,
        one.caution or other.caution,
    )


def compose(source: EditSource, edits: Sequence[Edit]) -> Composed:
    """Return the text with all edits that do not touch what an earlier one touches; not formatted yet."""
    taken: list[Edit] = []
    clashing: list[Edit] = []
    changes: set[Change] = set()
    for edit in edits:
        new = [change for change in edit.changes if change not in changes]
        if any(_touch(change, other) for change in new for other in changes):
            clashing.append(edit)
            continue
        changes.update(new)
        taken.append(edit)
    ordered = sorted(changes)
    text = source.text
    for change in reversed(ordered):
        text = text[: change.start] + change.new + text[change.end :]
    if not taken:
        return Composed(text, (), tuple(clashing))
    needed = frozenset().union(*(edit.imports for edit in taken))
    return Composed(mended(text, needed, _unused(source, ordered)), tuple(taken), tuple(clashing))


def _touch(one: Change, other: Change) -> bool:
    if one.start == one.end == other.start == other.end:
        return not (one.new.endswith(_WHOLE) and other.new.endswith(_WHOLE))  # which is first is not known
    return one.start < other.end and other.start < one.end


def _unused(source: EditSource, changes: Sequence[Change]) -> frozenset[str]:
    """Return the import paths, of std, whose names the new text uses no more."""
    unused = set()
    for imported in source.checked.imports:
        if imported.name in {"_", "."} or "." in imported.path.split("/", 1)[0]:
            continue
        uses = [source.index(offset) for offset in source.checked.uses.get(imported.name, ())]
        left = [use for use in uses if not any(change.start <= use < change.end for change in changes)]
        written = re.compile(rf"\b{re.escape(imported.name)}\.")
        if uses and not left and not any(written.search(change.new) for change in changes):
            unused.add(imported.path)
    return frozenset(unused)
