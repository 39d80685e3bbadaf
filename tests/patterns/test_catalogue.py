"""The catalogue documents and proves every pattern it lists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pattern_wants import wants
from whyheap.errors import UsageError
from whyheap.patterns import catalogue
from whyheap.patterns.catalogue import HAZARDS, PATTERNS, REASONS, RULES, get
from whyheap.patterns.pattern import HEADINGS, Pattern

FOLDER = Path(catalogue.__file__).parent
EVERY = (*PATTERNS, *REASONS)


@pytest.mark.parametrize("pattern", EVERY, ids=lambda pattern: pattern.slug)
def test_documents_all_five_headings(pattern: Pattern) -> None:
    assert tuple(pattern.doc) == HEADINGS
    assert all(len(text) > 40 for text in pattern.doc.values())


@pytest.mark.parametrize("pattern", EVERY, ids=lambda pattern: pattern.slug)
def test_names_the_thing_and_not_the_advice(pattern: Pattern) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", pattern.slug)
    assert not re.match(r"(avoid|no|use|prefer|dont)-", pattern.slug)
    assert pattern.title
    assert pattern.fixes
    assert all(fix.title[0].islower() for fix in pattern.fixes)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.slug)
def test_the_example_has_positives_and_negatives(pattern: Pattern) -> None:
    demanded = wants(pattern.example, (1, 27)).values()
    assert any(pattern.slug in want.patterns for want in demanded)
    assert any(not want.patterns for want in demanded)
    assert re.search(r"^func Bad", pattern.example, re.MULTILINE)
    assert re.search(r"^func Good", pattern.example, re.MULTILINE)


def test_every_folder_is_listed() -> None:
    listed = {pattern.folder.name for pattern in EVERY if pattern.folder}
    assert {path.parent.name for path in FOLDER.glob("*/__init__.py")} == listed
    assert all(pattern.folder and pattern.folder.name == pattern.slug.replace("-", "_") for pattern in PATTERNS)


def test_slugs_are_unique() -> None:
    assert len({pattern.slug for pattern in EVERY}) == len(EVERY)
    assert len(RULES) + len(HAZARDS) + 2 == len(PATTERNS)


def test_an_unknown_slug_names_the_nearest() -> None:
    assert get("append-growth").slug == "append-growth"
    with pytest.raises(UsageError) as caught:
        get("interface-boxng")
    assert "interface-boxing" in caught.value.hint
    with pytest.raises(UsageError):
        get("")
