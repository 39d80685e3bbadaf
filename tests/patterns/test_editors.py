"""The editors, without a compiler: what they make of recorded findings and types, and why they make nothing of others.

The wanted texts are read by eye when they change; that they compile and mean the same is what the live tests of
`whyheap fix` prove.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

import editor_samples
from whyheap.patterns.edit_source import UneditableError
from whyheap.patterns.editors import EDITORS


@pytest.mark.parametrize("name", editor_samples.SAMPLES)
def test_each_sample_is_mended_as_wanted(name: str) -> None:
    wanted = (editor_samples.FOLDER / f"{name}.want.txt").read_text()
    assert editor_samples.outcome(*editor_samples.sample(name)) == wanted


def test_every_editor_has_a_sample_that_it_mends_and_one_that_it_leaves_alone() -> None:
    mended, left = set(), set()
    for name in editor_samples.SAMPLES:
        source, findings = editor_samples.sample(name)
        for one in findings:
            try:
                EDITORS[one.pattern](one, source)
                mended.add(one.pattern)
            except UneditableError:
                left.add(one.pattern)
    assert mended == set(EDITORS)
    assert left == set(EDITORS)


@pytest.mark.parametrize("name", editor_samples.SAMPLES)
def test_an_edit_names_its_finding_and_watches_its_line(name: str) -> None:
    source, findings = editor_samples.sample(name)
    for one in findings:
        try:
            edit = EDITORS[one.pattern](one, source)
        except UneditableError as reason:
            words = str(reason)
            assert words == words.strip()
            assert not words.endswith(".")
            continue
        assert (edit.findings, edit.pattern, edit.file) == ((one.id,), one.pattern, source.file)
        assert one.site.line in edit.lines
        assert edit.changes == tuple(sorted(edit.changes))
        assert all(first.end <= second.start for first, second in zip(edit.changes, edit.changes[1:], strict=False))


@pytest.mark.parametrize("name", editor_samples.SAMPLES)
def test_a_finding_of_another_line_is_mended_or_refused(name: str) -> None:
    """Such as one whose file has changed since: never anything but a reason."""
    source, findings = editor_samples.sample(name)
    last = source.text.count("\n")
    for one in findings:
        for line in (1, max(1, one.site.line - 3), min(last, one.site.line + 2)):
            moved = replace(one, site=replace(one.site, line=line, column=0))
            with suppress(UneditableError):
                EDITORS[one.pattern](moved, source)
