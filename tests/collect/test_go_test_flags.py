"""Flags of go test: whyheap sees those that concern it, and refuses those that it cannot run with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.collect.go_test_flags import GoTestFlags
from whyheap.collect.hook_overlay import read_overlay
from whyheap.errors import UsageError


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (("-run", "TestX", "-v"), "run", "TestX"),
        (("-run=TestX",), "run", "TestX"),
        (("--test.run=TestX",), "run", "TestX"),
        (("-race", "-run", "X"), "race", "true"),
        (("-race=false",), "race", "false"),
        (("-v", "-overlay", "a.json", "-overlay=b.json"), "overlay", "b.json"),
        (("-run", "X", "-args", "-json", "-overlay=c.json"), "overlay", ""),
    ],
)
def test_a_flag_has_the_value_that_go_gives_it(words: tuple[str, ...], name: str, value: str) -> None:
    assert GoTestFlags.read(words).value(name) == value


def test_goflags_count_where_the_command_line_is_silent() -> None:
    flags = GoTestFlags.read(("-run", "X"), "-race '-overlay=with space.json' -mod=vendor")
    assert flags.is_on("race")
    assert flags.value("overlay") == "with space.json"
    assert GoTestFlags.read(("-overlay=other",), "-overlay=x").value("overlay") == "other"
    assert flags.distorts_allocations == "-race"


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (("-race", "./p"), "./p"),
        (("-run", "X", "-trimpath", "./p", "-args", "y"), "./p"),
        (("-v", "-args", "./p"), ""),
        (("-run", "X"), ""),
        ((), ""),
    ],
)
def test_a_word_that_is_no_flag_is_seen(words: tuple[str, ...], first: str) -> None:
    assert GoTestFlags.read(words).first_word() == first


@pytest.mark.parametrize(
    ("patterns", "covers"),
    [
        ("all", True),
        ("./...,std", True),
        ("testing", True),
        ("test...", True),
        ("testing/...", True),
        ("...", True),
        ("./...", False),
        ("testing/fstest", False),
        ("example.test/...,./testing", False),
        ("", False),
    ],
)
def test_coverage_of_package_testing_is_seen(patterns: str, covers: bool) -> None:  # noqa: FBT001 - a case
    assert GoTestFlags.read((f"-coverpkg={patterns}",)).covers_testing is covers


def test_the_users_overlay_is_not_passed_on() -> None:
    words = ("-v", "-overlay", "a.json", "-run", "X", "-args", "-overlay", "b")
    assert GoTestFlags.read(words).for_test() == ["-v", "-run", "X", "-args", "-overlay", "b"]


def test_go_list_sees_what_chooses_files() -> None:
    flags = GoTestFlags.read(("-tags", "a,b", "-race", "-run", "X", "-mod=mod"))
    assert flags.for_list() == ["-tags=a,b", "-race=true", "-mod=mod"]


@pytest.mark.parametrize("flag", ["-c", "-json", "-n", "-list=.", "-fuzz=X", "-C=/", "-test.fuzz=X"])
def test_what_checks_nothing_is_refused(flag: str) -> None:
    with pytest.raises(UsageError, match=f"^-{flag.removeprefix('-test.').strip('-').partition('=')[0]} "):
        GoTestFlags.read((flag,))
    with pytest.raises(UsageError, match="from GOFLAGS"):
        GoTestFlags.read((), flag)


@given(st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12), max_size=8))
def test_no_word_is_lost(words: list[str]) -> None:
    try:
        flags = GoTestFlags.read(words)
    except UsageError:
        return
    if not flags.has("overlay"):
        assert flags.for_test() == words


def test_names_in_an_overlay_are_relative_to_the_folder(tmp_path: Path) -> None:
    (tmp_path / "o.json").write_text(json.dumps({"Replace": {"p/x.go": "y.go", "/abs/z.go": ""}}))
    assert read_overlay("o.json", tmp_path) == {f"{tmp_path}/p/x.go": f"{tmp_path}/y.go", "/abs/z.go": ""}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"Replace": 1}', "\x00"])
def test_what_is_no_overlay_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "o.json").write_text(text)
    with pytest.raises(UsageError, match=r"-overlay o\.json is no overlay"):
        read_overlay("o.json", tmp_path)
