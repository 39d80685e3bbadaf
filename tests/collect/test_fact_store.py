"""What is damaged in the store counts as missing, and what is in use is not dropped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from whyheap.collect.fact_store import FactStore
from whyheap.model.facts import CompilerFact, FactKind
from whyheap.model.site import Position

AT = Position("a.go", 1, 1)
FACT = CompilerFact(FactKind.HEAP, AT, "F", "p", "moved to heap: v", "v", AT)
LINES = b'{"kind":"heap"}\n'


@pytest.fixture
def store(tmp_path: Path) -> FactStore:
    made = FactStore(tmp_path / "facts")
    made.save("p", "id", [FACT], LINES, 3)
    return made


def file_of(tmp_path: Path) -> Path:
    (file,) = (tmp_path / "facts/p").iterdir()
    return file


def test_what_was_saved_is_found(store: FactStore) -> None:
    assert store.has("p", "id")
    found = store.load("p", "id")
    assert found is not None
    assert (found.facts, found.unknown) == ((FACT,), 3)
    assert store.lines("p", "id") == LINES
    assert not store.has("p", "other")


@pytest.mark.parametrize("length", [0, 5, 16, 20, -1])
def test_a_truncated_file_is_missing(store: FactStore, tmp_path: Path, length: int) -> None:
    file = file_of(tmp_path)
    file.write_bytes(file.read_bytes()[:length])
    assert not store.has("p", "id")
    assert store.lines("p", "id") is None


def test_a_damaged_file_is_made_anew(store: FactStore, tmp_path: Path) -> None:
    file = file_of(tmp_path)
    data = file.read_bytes()
    file.write_bytes(data[:16] + b"\xc1" * (len(data) - 16))
    assert store.load("p", "id") is None
    assert not store.has("p", "id")


def test_the_builds_dropped_are_those_not_used_for_longest(store: FactStore, tmp_path: Path) -> None:
    for number in range(3):
        store.save("p", f"id{number}", [], b"", 0)
    for file in (tmp_path / "facts/p").iterdir():
        os.utime(file, (0, 0))
    assert store.has("p", "id")
    store.save("p", "newest", [], b"", 0)
    assert store.has("p", "id")
    assert sum(store.has("p", f"id{number}") for number in range(3)) == 2


def test_held_facts_are_never_written(tmp_path: Path) -> None:
    store = FactStore(tmp_path / "facts")
    store.hold("p", "id", [FACT], LINES, 0)
    assert store.has("p", "id")
    assert store.load("p", "id") is not None
    assert store.lines("p", "id") == LINES
    assert store.held_digest("p", "id")
    assert not (tmp_path / "facts").exists()
    assert not FactStore(tmp_path / "facts").has("p", "id")
