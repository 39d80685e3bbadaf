from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.errors import FormatError
from whyheap.model.facts import GoroutineGroup
from whyheap.parse.go_symbol import split_symbol
from whyheap.parse.goroutine_names import parse_frame_names
from whyheap.parse.goroutine_text import (
    CHANNEL,
    MAX_FRAMES,
    MAX_GROUPS,
    parse_goroutine_total,
    parse_goroutines,
)

RECORDED = Path(__file__).parents[1] / "recorded" / "goroutines"
VERSIONS = sorted(path.stem for path in RECORDED.glob("*.txt"))


def own_states(groups: tuple[GoroutineGroup, ...]) -> dict[str, str]:
    """Map the program's own functions to what they wait for."""
    return {site.function: group.state for group in groups for site in group.stack if site.package == "main"}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_wait_is_told_with_the_names_of_the_binary_form(version: str) -> None:
    text = (RECORDED / f"{version}.txt").read_text()
    groups = parse_goroutines(text, parse_frame_names((RECORDED / f"{version}.pb.gz").read_bytes()))
    states = own_states(groups)
    assert states["(*worker).receive"] == "chan receive"
    assert states["send[...]"] == "chan send"
    waits = sorted(state for function, state in states.items() if function.startswith("main."))
    assert waits == sorted(
        [
            "IO wait",
            "chan receive",
            "chan receive",
            "select",
            "select (no cases)",
            "sync.Cond.Wait",
            "sync.Mutex.Lock",
            "sync.RWMutex.RLock",
            "sync.WaitGroup.Wait",
        ]
    )
    assert any(group.state == "sleep" for group in groups)
    assert any(group.state == "running" for group in groups)
    assert sum(group.count for group in groups) == parse_goroutine_total(text)
    assert groups[0].count == 5
    assert groups[0].stack[0].line == 19


@pytest.mark.parametrize("version", VERSIONS)
def test_text_alone_tells_channels_from_select_and_locks(version: str) -> None:
    states = own_states(parse_goroutines((RECORDED / f"{version}.txt").read_text()))
    assert states["(*worker).receive"] == CHANNEL
    assert states["send[...]"] == CHANNEL
    assert "sync.Mutex.Lock" in states.values()
    assert "select" in states.values()


def test_groups_that_differ_by_labels_only_are_one() -> None:
    frame = "#\t0x10\tmain.f+0x1\t/src/main.go:4\n\n"
    text = f'goroutine profile: total 5\n3 @ 0x11\n# labels: {{"a":"1"}}\n{frame}2 @ 0x11\n{frame}'
    (group,) = parse_goroutines(text, spell=lambda file: file.removeprefix("/src/"))
    assert group.count == 5
    assert str(group.stack[0].position) == "main.go:4"


@pytest.mark.parametrize(
    ("symbol", "split"),
    [
        ("main.main", ("main", "main")),
        ("example.com/a%2eb.(*T).M", ("example.com/a.b", "(*T).M")),
        ("example.com/shop.Get[go.shape.*uint8]", ("example.com/shop", "Get[go.shape.*uint8]")),
        ("main.G[example.com/x.T]", ("main", "G[example.com/x.T]")),
        ("nodot", ("", "nodot")),
    ],
)
def test_split_symbol(symbol: str, split: tuple[str, str]) -> None:
    assert split_symbol(symbol) == split


@pytest.mark.parametrize(
    "text", ["", "<html>", "heap profile: 0: 0 [0: 0] @ heap/1", "goroutine profile: total 3\nwhat is this\n"]
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_goroutines(text)


@given(st.text(max_size=300))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for body in (text, f"goroutine profile: total 1\n{text}"):
        try:
            parse_goroutines(body)
        except FormatError:
            continue


@given(st.binary(max_size=300))
def test_any_bytes_give_names_or_are_refused(body: bytes) -> None:
    try:
        parse_frame_names(body)
    except FormatError:
        return


def test_a_flood_of_groups_is_cut() -> None:
    text = "goroutine profile: total 99\n" + "".join(
        f"1 @ {i:#x}\n#\t{i - 1:#x}\tmain.f{i}+0x1\t/m.go:{i}\n\n" for i in range(1, MAX_GROUPS + 100)
    )
    assert len(parse_goroutines(text)) == MAX_GROUPS


@pytest.mark.parametrize("piece", ["+0x1\t", "+0x1\t:a", "\t", ":1"])
def test_long_lines_take_no_time(piece: str) -> None:
    line = "#\t0x10\tmain.f" + piece * (60_000 // len(piece))
    begun = time.process_time()
    (group,) = parse_goroutines("goroutine profile: total 1\n1 @ 0x11\n" + f"{line}\n" * 100)
    assert time.process_time() - begun < 2
    assert group.stack == ()


def test_lines_that_are_no_frames_count_too() -> None:
    frame = "#\t0x10\tmain.f+0x1\t/src/main.go:4\n"
    text = "goroutine profile: total 1\n1 @ 0x11\n" + "# what is this\n" * (MAX_FRAMES - 1) + frame * 2
    (group,) = parse_goroutines(text)
    assert len(group.stack) == 1
