"""Compiles edited packages through an overlay, and says what is gone from the heap, what is new, and for which edit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from whyheap.collect.compiler import ScanOptions, compile_packages
from whyheap.collect.kept_checks import kept_checks
from whyheap.errors import TargetError
from whyheap.model.edit import Edit
from whyheap.model.facts import CompilerFact
from whyheap.model.finding import Finding
from whyheap.model.scan import Scan, ScannedPackage
from whyheap.proof.line_map import moved_lines
from whyheap.proof.words import Word, heap_words, is_expected, word
from whyheap.proof.workshop import EditedFile, Workshop

_PLACE = re.compile(r"([^\s:]+\.go):(\d+)")
_CONSTANT = re.compile(r'^(?:"(?:[^"\\]|\\.)*"|\d+)$')
"""A constant in an interface, which the compiler calls an escape and keeps in read-only data."""


@dataclass(frozen=True, slots=True)
class Recompiled:
    """What the compiler says of an edit: words that are gone, or why it is wrong (`problem`)."""

    gone: tuple[str, ...] = ()
    problem: str = ""


def watched(edit: Edit, before: str) -> frozenset[int]:
    """Return the lines of the text before whose allocations an edit is about."""
    touched = set(edit.lines)
    for change in edit.changes:
        first = before.count("\n", 0, change.start) + 1
        touched |= set(range(first, before.count("\n", 0, change.end) + 2))
    return frozenset(touched)


def recompile(
    workshop: Workshop,
    options: ScanOptions,
    before: Scan,
    files: Sequence[EditedFile],
    findings: Mapping[str, Finding],
) -> dict[Edit, Recompiled]:
    """Compile the packages of the edited files and judge each edit."""
    packages = {one.package: one for one in before.packages}
    owners = {file: one.package for one in before.packages for file in one.files}
    touched = sorted({owners[one.file] for one in files})
    after_options = replace(options, patterns=tuple(_folder(packages[name].folder) for name in touched))
    unchecked = {owners[one.file] for one in files if any(edit.unchecks for edit in one.edits)}
    kept: dict[str, list[CompilerFact]] = {}
    try:
        compiled = compile_packages(workshop.overlay(files), after_options)
        kept = {name: kept_checks(compiled.lines_of(name)) for name in unchecked}
        after = {one.package: one for one in compiled.load().packages}
    except TargetError as error:
        after = {name: ScannedPackage(name, packages[name].folder, error=error.message) for name in touched}
    told: dict[Edit, Recompiled] = {}
    for name in touched:
        own = [one for one in files if owners[one.file] == name]
        found = after.get(name)
        if found is not None and found.error:
            found = replace(found, error=workshop.original(found.error, files))
        told.update(_judge(packages[name], found, own, findings))
        for file in own:
            for edit in (edit for edit in file.edits if edit.unchecks and not told[edit].problem):
                told[edit] = Recompiled(tuple(_unchecked(edit, file, kept.get(name, ()), findings)))
    return told


def _unchecked(
    edit: Edit, file: EditedFile, kept: Iterable[CompilerFact], findings: Mapping[str, Finding]
) -> Iterable[str]:
    """Yield the bounds checks of an edit's findings, if the lines that stand in their place have fewer."""
    _, moved = moved_lines(file.before, file.text, watched(edit, file.before))
    before = {fact.site for name in edit.findings for fact in findings[name].facts}
    after = {fact.site for fact in kept if fact.site.file == file.file and fact.site.line in moved}
    if len(after) < len(before):
        yield from (f"bounds check of {findings[name].subject}" for name in edit.findings)


def _folder(folder: str) -> str:
    return str(Path(folder))


def _judge(
    before: ScannedPackage, after: ScannedPackage | None, files: Sequence[EditedFile], findings: Mapping[str, Finding]
) -> dict[Edit, Recompiled]:
    edits = [edit for one in files for edit in one.edits]
    if after is None or after.error:
        words = after.error if after is not None else "it was not compiled"
        guilty = _at_place(words, files) or edits
        return {edit: Recompiled(problem=f"does not compile: {words}" if edit in guilty else "") for edit in edits}
    old, new = heap_words(before), heap_words(after)
    gone, come = old - new, new - old
    respelled = {edit: _texts(edit, one.before) for one in files for edit in one.edits}
    problems = _unexpected(come, gone, respelled, findings)
    answers = {}
    for one in files:
        for edit in one.edits:
            lost: tuple[str, ...] = ()
            if not edit.stays:
                lost = tuple(_gone(edit, gone, findings)) or tuple(_fewer_calls(edit, one, before, after))
                lost += tuple(_dropped(edit, findings, before, after))
            answers[edit] = Recompiled(lost, problems.get(edit, ""))
    return answers


def _at_place(words: str, files: Sequence[EditedFile]) -> list[Edit]:
    """Return the edits whose new lines an error of the compiler speaks of."""
    places = {(Path(name).name, int(line)) for name, line in _PLACE.findall(words)}
    found = []
    for one in files:
        for edit in one.edits:
            _, lines = moved_lines(one.before, one.text, watched(edit, one.before))
            if any(name == Path(one.path).name and line in lines for name, line in places):
                found.append(edit)
    return found


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


def _unexpected(
    come: Counter[Word],
    gone: Counter[Word],
    respelled: Mapping[Edit, list[tuple[str, str]]],
    findings: Mapping[str, Finding],
) -> dict[Edit, str]:
    """Return what each edit brought that it did not announce."""
    edits = list(respelled)
    problems: dict[Edit, str] = {}
    for new in sorted(come):
        if _CONSTANT.match(new.subject):
            continue
        near = [edit for edit in edits if new.owner in _owners(edit, findings)]
        if any(is_expected(new.subject, edit.brings) for edit in edits):  # inlined code says it of others
            continue
        if any(_is_respelled(new, gone, respelled[edit]) for edit in edits):
            continue
        for edit in near or edits:
            problems.setdefault(
                edit, f"brings a new value on the heap: {new.subject} in {new.function or 'the package'}"
            )
    return problems


def _owners(edit: Edit, findings: Mapping[str, Finding]) -> frozenset[str]:
    return frozenset(findings[one].site.function.partition(".func")[0] for one in edit.findings)


def _gone(edit: Edit, gone: Counter[Word], findings: Mapping[str, Finding]) -> Iterable[str]:
    """Yield the compiler's words of an edit's findings that it says no more."""
    said: dict[str, None] = {}
    for name in edit.findings:
        for fact in findings[name].facts:
            if gone[word(fact)] > 0:
                said[f"{fact.subject} {_ESCAPES}" if fact.message.endswith(_ESCAPES) else fact.message] = None
    return said


_ESCAPES = "escapes to heap"


def _fewer_calls(edit: Edit, file: EditedFile, before: ScannedPackage, after: ScannedPackage) -> Iterable[str]:
    """Yield the calls of the allocator that the edit's lines make less often in machine code."""
    lines, moved = moved_lines(file.before, file.text, watched(edit, file.before))
    old, new = _calls(before, file.file, lines), _calls(after, file.file, moved)
    for callee, count in sorted((old - new).items()):
        yield f"call of {callee}" if count == 1 else f"{count} calls of {callee}"


def _dropped(
    edit: Edit, findings: Mapping[str, Finding], before: ScannedPackage, after: ScannedPackage
) -> Iterable[str]:
    """Yield the functions that the edited function was to call no more, and does not."""
    owners = _owners(edit, findings)
    old, new = (_callees(package, owners, edit.drops) for package in (before, after))
    return () if new else (f"call of {callee}" for callee in sorted(old))


def _callees(package: ScannedPackage, owners: frozenset[str], wanted: Iterable[str]) -> set[str]:
    return {
        call.callee
        for function in package.functions or ()
        if function.site.function.partition(".func")[0] in owners
        for call in function.callees
        if is_expected(call.callee, wanted)
    }


def _calls(package: ScannedPackage, file: str, lines: frozenset[int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for function in package.functions or ():
        for call in function.calls:
            sites = (call.site, *call.inlined_at)
            if any(one.file == file and one.line in lines for one in sites):
                found[call.callee] += 1
    return found
