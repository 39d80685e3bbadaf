"""The heap values that edits bring though they did not announce them, and which edit it was."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from whyheap.model.edit import Edit
from whyheap.model.facts import CompilerFact, FactKind
from whyheap.model.finding import Finding
from whyheap.model.scan import ScannedPackage
from whyheap.model.site import Position
from whyheap.proof.edited_lines import at_lines, owners
from whyheap.proof.line_map import line_before
from whyheap.proof.words import Word, heap_words, is_expected, word
from whyheap.proof.workshop import EditedFile

_CONSTANT = re.compile(r'^(?:"(?:[^"\\]|\\.)*"|\d+)$')
"""A constant in an interface, which the compiler calls an escape and keeps in read-only data."""


def brought(
    before: ScannedPackage,
    after: ScannedPackage,
    own: Sequence[EditedFile],
    files: Sequence[EditedFile],
    findings: Mapping[str, Finding],
) -> dict[Edit, str]:
    """Return what each edit brought to a package that it did not announce.

    `own` are the package's files. An edit of another one of all `files` is blamed where its lines are inlined here; all
    edits of `own` are, where nothing tells which it was.
    """
    words, later = heap_words(before), heap_words(after)
    come, gone = later - words, words - later
    respelled = {edit: _texts(edit, one.before) for one in files for edit in one.edits}
    here = [edit for one in own for edit in one.edits]
    facts = _facts(after, come)
    known = _stood_before(before, after, facts, own)
    problems: dict[Edit, str] = {}
    for new in sorted(come):
        if new in known or _CONSTANT.match(new.subject):
            continue
        near = {edit: None for edit in here if new.owner in owners(edit, findings)}
        near |= dict.fromkeys(at_lines(_speaks_of(facts[new]), files))
        suspects = near or here
        if any(is_expected(new.subject, edit.brings) for edit in suspects):
            continue
        if any(_is_respelled(new, gone, respelled[edit]) for edit in suspects):
            continue
        for edit in suspects:
            problems.setdefault(
                edit, f"brings a new value on the heap: {new.subject} in {new.function or 'the package'}"
            )
    return problems


def _facts(package: ScannedPackage, words: Iterable[Word]) -> dict[Word, list[CompilerFact]]:
    """Return the heap facts of each of these words."""
    facts: dict[Word, list[CompilerFact]] = {one: [] for one in words}
    for fact in package.facts:
        if fact.kind is FactKind.HEAP and (said := word(fact)) in facts:
            facts[said].append(fact)
    return facts


def _stood_before(
    before: ScannedPackage,
    after: ScannedPackage,
    facts: Mapping[Word, Sequence[CompilerFact]],
    files: Iterable[EditedFile],
) -> set[Word]:
    """Return the words that speak of a value that was on the heap at the same place, in a line that no edit touched.

    A call that can be inlined now is printed as its result, `~r0`.
    """
    edited = {one.file: one for one in files}
    old, new = _heap_values(before), _heap_values(after)

    def stood(fact: CompilerFact) -> bool:
        at, file = fact.printed_at, edited.get(fact.printed_at.file)
        line = at.line if file is None else line_before(file.before, file.text, at.line)
        return line is not None and 0 < new[at, fact.function] <= old[replace(at, line=line), fact.function]

    return {said for said, own in facts.items() if own and all(map(stood, own))}


def _heap_values(package: ScannedPackage) -> Counter[tuple[Position, str]]:
    """Count the heap values by place and function, each once; what inlined code brings there is told of its own."""
    facts = {
        (one.printed_at, one.function, one.subject)
        for one in package.facts
        if one.kind is FactKind.HEAP and not one.inlined_at
    }
    return Counter((place, function) for place, function, _ in facts)


def _speaks_of(facts: Iterable[CompilerFact]) -> set[tuple[str, int]]:
    """Return every line that facts name: their place, where they are inlined, the way to the heap."""
    lines = set()
    for fact in facts:
        lines |= {(one.file, one.line) for one in (fact.printed_at, fact.site, *fact.inlined_at)}
        lines |= {(step.file, step.line) for flow in fact.flow for step in flow.steps}
    return lines


def _texts(edit: Edit, before: str) -> list[tuple[str, str]]:
    """Return what each change of an edit puts in place of what."""
    return [(change.new, before[change.start : change.end]) for change in edit.changes if change.new]


def _is_respelled(new: Word, gone: Counter[Word], texts: Iterable[tuple[str, str]]) -> bool:
    """Whether a word is an old one in which an edit wrote a part of the expression anew."""
    subjects = {one.subject for one in gone}
    heads = {one.subject for one in gone if one.function == new.function}  # the rest may be printed inlined
    for written, old in texts:
        head, found, _ = new.subject.partition(written)
        if found and new.subject.replace(written, old) in subjects:
            return True
        if found and head and any(one.startswith(head) for one in heads):
            return True
    return False
