"""Compiles edited packages through an overlay, and says what is gone from the heap, what is new, and for which edit."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from whyheap.collect.compiler import ScanOptions, compile_packages
from whyheap.collect.kept_checks import kept_checks
from whyheap.errors import TargetError
from whyheap.host.go import GoTool
from whyheap.host.program import run_program
from whyheap.model.edit import Edit
from whyheap.model.facts import CompilerFact
from whyheap.model.finding import Finding
from whyheap.model.scan import Scan, ScannedPackage
from whyheap.proof.bounds_checks import unchecked
from whyheap.proof.brought import brought
from whyheap.proof.edited_lines import at_lines, owners, watched
from whyheap.proof.line_map import moved_lines
from whyheap.proof.words import Word, heap_words, is_expected, word
from whyheap.proof.workshop import EditedFile, Workshop

_PLACE = re.compile(r"([^\s:]+\.go):(\d+)")


@dataclass(frozen=True, slots=True)
class Recompiled:
    """What the compiler says of an edit: words that are gone, or why it is wrong (`problem`)."""

    gone: tuple[str, ...] = ()
    problem: str = ""


def recompile(
    workshop: Workshop,
    options: ScanOptions,
    before: Scan,
    files: Sequence[EditedFile],
    findings: Mapping[str, Finding],
) -> dict[Edit, Recompiled]:
    """Compile the packages of the edited files and judge each edit."""
    packages = {one.package: one for one in before.packages}
    package_of = {file: one.package for one in before.packages for file in one.files}
    touched = sorted({package_of[one.file] for one in files})
    after_options = replace(options, patterns=tuple(_folder(packages[name].folder) for name in touched))
    go = workshop.overlay(files)
    asked = {package_of[one.file] for one in files if any(edit.unchecks for edit in one.edits)}
    kept: dict[str, list[CompilerFact]] = {}
    after: dict[str, ScannedPackage] = {}
    reason = "it was not compiled"
    try:
        compiled = compile_packages(go, after_options)
        kept = {name: kept_checks(compiled.lines_of(name)) for name in asked}
        after = {one.package: one for one in compiled.load().packages}
    except TargetError as error:
        reason = error.message
    told: dict[Edit, Recompiled] = {}
    problems: dict[Edit, str] = {}
    for name in touched:
        own = [one for one in files if package_of[one.file] == name]
        found = after.get(name)
        if found is None or found.error:
            words = [found.error if found is not None else reason, *_errors(go, options, packages[name].folder)]
            told.update(_broken([workshop.original(one, files) for one in words], own, files))
            continue
        told.update(_judge(packages[name], found, own, findings))
        problems.update(brought(packages[name], found, own, files, findings))
        for file in own:
            for edit in (edit for edit in file.edits if edit.unchecks):
                told[edit] = Recompiled(tuple(unchecked(edit, file, kept.get(name, ()), findings)))
    return told | {edit: replace(told[edit], problem=told[edit].problem or words) for edit, words in problems.items()}


def _folder(folder: str) -> str:
    return str(Path(folder))


def _errors(go: GoTool, options: ScanOptions, folder: str) -> list[str]:
    """Return every error of a package, not the first ten alone: what is wrong goes in one round."""
    tags = [f"-tags={options.tags}"] if options.tags else []
    command = [go.command, "build", *tags, "-gcflags=-e", "-o", os.devnull, folder]
    return run_program(command, options.folder, env=go.env).stderr.splitlines()


def _broken(words: Sequence[str], own: Sequence[EditedFile], files: Sequence[EditedFile]) -> dict[Edit, Recompiled]:
    """Tell each edit of a package the first error that speaks of its lines.

    Where none speaks of any edit of all `files`, the package's edits are all told the first one.
    """
    edits = [edit for one in own for edit in one.edits]
    problems: dict[Edit, str] = {}
    for line in words:
        for edit in _at_place(line, files):
            problems.setdefault(edit, f"does not compile: {line.strip()}")
    problems = problems or dict.fromkeys(edits, f"does not compile: {words[0]}")
    return {edit: Recompiled(problem=problems.get(edit, "")) for edit in edits}


def _judge(
    before: ScannedPackage, after: ScannedPackage, files: Sequence[EditedFile], findings: Mapping[str, Finding]
) -> dict[Edit, Recompiled]:
    old, new = heap_words(before), heap_words(after)
    gone = old - new
    answers = {}
    for one in files:
        for edit in one.edits:
            lost: tuple[str, ...] = ()
            if not edit.stays:
                lost = tuple(_gone(edit, gone, findings)) or tuple(_fewer_calls(edit, one, before, after))
                lost += tuple(_dropped(edit, findings, before, after))
            answers[edit] = Recompiled(lost)
    return answers


def _at_place(words: str, files: Sequence[EditedFile]) -> list[Edit]:
    """Return the edits whose new lines an error of the compiler speaks of."""
    places = {(name.removeprefix("./"), int(line)) for name, line in _PLACE.findall(words)}
    named = {name: [one.file for one in files if _is_spelled(one.file, name)] for name, _ in places}
    return at_lines({(file, line) for name, line in places for file in named[name]}, files)


def _is_spelled(file: str, name: str) -> bool:
    """Whether go's name of a file, from the folder that it runs in or whole, is that of a Site."""
    return file == name or name.endswith(f"/{file}") or file.endswith(f"/{name}")


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
    own = owners(edit, findings)
    old, new = (_callees(package, own, edit.drops) for package in (before, after))
    return () if new else (f"call of {callee}" for callee in sorted(old))


def _callees(package: ScannedPackage, own: frozenset[str], wanted: Iterable[str]) -> set[str]:
    return {
        call.callee
        for function in package.functions or ()
        if function.site.function.partition(".func")[0] in own
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
