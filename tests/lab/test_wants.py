"""The `// want` comments of examples."""

from __future__ import annotations

import pytest

from whyheap.errors import UsageError
from whyheap.lab.wants import Want, version, wants


def test_reads_all_words_of_a_line() -> None:
    text = "x := 1 // want pattern=a pattern=b agreement=agree call=newobject callee=f.G"
    assert wants(text, (1, 27)) == {1: Want({"a", "b"}, "agree", "f.G", {"newobject"})}


def test_a_want_holds_for_its_versions_only() -> None:
    text = "x := 1 // want pattern=a until=1.25 // want pattern=b since=1.25"
    assert wants(text, (1, 24))[1].patterns == {"a"}
    assert wants(text, (1, 25))[1].patterns == {"b"}


def test_want_none_demands_that_nothing_is_found() -> None:
    assert wants("x\ny // want none", (1, 27)) == {2: Want()}


@pytest.mark.parametrize("word", ["pattrn=a", "agreement=perhaps", "pattern=", "call="])
def test_a_word_that_is_none_names_its_line(word: str) -> None:
    with pytest.raises(UsageError, match="line 2"):
        wants(f"x\ny // want {word}", (1, 27))


def test_a_typing_error_is_found_on_every_version() -> None:
    with pytest.raises(UsageError):
        wants("x // want pattrn=a since=1.27", (1, 22))


def test_versions_are_numbers() -> None:
    assert version("1.27.3") == version("go1.27") == (1, 27)
    with pytest.raises(UsageError):
        version("new")
