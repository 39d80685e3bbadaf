from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.parse.gctrace import begins_collection, parse_collection

RECORDED = Path(__file__).parents[1] / "recorded" / "crash"
LINE = (
    "gc 12 @3.400s 5%: 0.01+1.2+0.002 ms clock, 0.03+0.5/0.9/0+0.005 ms cpu, 45->46->23 MB, 47 MB goal, "
    "2 MB stacks, 1 MB globals, 2 P"
)
MIB = 1 << 20


@pytest.mark.parametrize("version", ["1.22.10", "1.27.3"])
def test_every_recorded_line_is_understood(version: str) -> None:
    lines = (RECORDED / version / "collections.txt").read_text().splitlines()
    found = [one for one in map(parse_collection, lines) if one is not None]
    assert len(found) == sum(" MB goal" in line for line in lines) >= 12
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    assert found[-1].marked_bytes == 40 * MIB
    assert any(one.forced for one in found) == (version == "1.27.3" or found[-1].forced)


def test_numbers_are_bytes_shares_and_seconds() -> None:
    one = parse_collection(LINE)
    assert one is not None
    assert (one.number, one.seconds, one.gc_cpu, one.forced) == (12, 3.4, 0.05, False)
    assert one.duration_seconds == pytest.approx(0.001212)
    assert (one.before_bytes, one.marking_ended_bytes, one.marked_bytes) == (45 * MIB, 46 * MIB, 23 * MIB)
    assert (one.goal_bytes, one.stack_bytes, one.globals_bytes) == (47 * MIB, 2 * MIB, MIB)


@pytest.mark.parametrize(
    "line",
    [
        f"{LINE} (forced)",
        f"shop-1  | {LINE}",
        LINE.replace("5%:", "5% (checking for goroutine leaks):"),
        LINE.replace("2 MB stacks, 1 MB globals, ", ""),
    ],
)
def test_forms_of_other_versions_and_logs(line: str) -> None:
    one = parse_collection(line)
    assert one is not None
    assert one.marked_bytes == 23 * MIB


@pytest.mark.parametrize(
    "line",
    [
        "scav 0 KiB work (bg), 0 KiB work (eager), 3776 KiB now, 42% util",
        "pacer: sweep done at heap size 4MB; allocated 0MB during sweep; swept 1234 pages at 0.0003 pages/byte",
        LINE[:60],
        LINE.replace("45->46", "45-><log line>46"),
        LINE.replace("0.01+1.2", "0.0.1+1.2"),
        "",
    ],
)
def test_other_lines_are_none(line: str) -> None:
    assert parse_collection(line) is None


def test_a_torn_line_is_seen() -> None:
    assert begins_collection(LINE[:60])
    assert not begins_collection("gc is nice")


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    parse_collection(text)
    parse_collection(f"{text} {LINE}{text}")
    begins_collection(text)


@given(
    st.from_regex(
        r"gc \d{1,14} @\d{1,12}\.\d{0,4}s \d{1,4}%: [\d.+]{0,20} ms clock, [\d.+/]{0,20} ms cpu, "
        r"\d{1,11}->\d{1,11}->\d{1,11} MB, \d{1,11} MB goal, \d P",
        fullmatch=True,
    )
)
def test_any_numbers(line: str) -> None:
    parse_collection(line)


def test_long_lines_take_no_time() -> None:
    begun = time.process_time()
    for piece in ("gc 1 @1.0", " gc ", ": | "):
        parse_collection(piece * (60_000 // len(piece)) + " MB goal")
        for _ in range(200):
            parse_collection((piece * 1_000)[:1_900] + " MB goal")
    assert time.process_time() - begun < 2
