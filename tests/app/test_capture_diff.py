"""Two captures compared: what grew is named, by line, kind of memory, number and goroutine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.cells import cell_len

from whyheap.app.capture_diff import diff_captures
from whyheap.capture import Capture, save_capture
from whyheap.errors import UsageError
from whyheap.host.http import Access
from whyheap.model.capture_diff import CaptureDiff
from whyheap.model.facts import GoroutineGroup
from whyheap.model.gauge import Gauge
from whyheap.model.site import Site
from whyheap.report.capture_diff_json import capture_diff_to_json
from whyheap.report.terminal_capture_diff import capture_diff_to_terminal

MIB = 1 << 20
WAITS = Site("jobs.go", 33, 0, "send", "example.com/shop")


def text_profile(inuse: int) -> bytes:
    """Return a heap profile in the old text form: one site in main.keep, and one that is level."""
    return (
        f"heap profile: 2: {inuse + MIB} [4: {4 * inuse}] @ heap/1\n"
        f"1: {inuse} [2: {2 * inuse}] @ 0x1\n#\t0x1\tmain.keep+0x1\tcache.go:12\n\n"
        f"1: {MIB} [2: {2 * MIB}] @ 0x2\n#\t0x2\tmain.level+0x1\tlevel.go:3\n\n"
        "# runtime.MemStats\n# Alloc = 1\n"
    ).encode()


def capture(folder: Path, name: str, at: str, inuse: int, waiting: int, *, with_profile: bool = True) -> Path:
    path = folder / name
    gauges = (Gauge("seconds", 0.0, "seconds", at), Gauge("rss", 2.0 * inuse, "bytes", at))
    saved = Capture(
        ("http://127.0.0.1:6060",),
        at,
        profiles=(text_profile(inuse),) if with_profile else (),
        gauges=gauges,
        goroutines={at: (GoroutineGroup(waiting, "chan send", (WAITS,)),)},
    )
    path.write_bytes(save_capture(saved, "0.1.0"))
    return path


@pytest.fixture
def diff(tmp_path: Path) -> CaptureDiff:
    old = capture(tmp_path, "old.whyheap", "2026-01-01T00:00:00Z", 10 * MIB, 5)
    new = capture(tmp_path, "new.whyheap", "2026-01-01T01:00:00Z", 90 * MIB, 905)
    return diff_captures(str(old), str(new), tmp_path, Access())


def test_the_line_that_grew_comes_first_and_a_level_one_did_not_grow(diff: CaptureDiff) -> None:
    assert [(line.site.line, line.grown_bytes) for line in diff.lines] == [(12, 80 * MIB), (3, 0)]


def test_numbers_and_goroutines_are_told_before_and_after(diff: CaptureDiff) -> None:
    assert [(one.name, one.before, one.after) for one in diff.numbers] == [("rss", 20.0 * MIB, 180.0 * MIB)]
    assert [(one.site, one.before, one.after) for one in diff.goroutines] == [(WAITS, 5, 905)]
    assert diff.moments == ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")


def test_without_a_profile_on_one_side_lines_are_a_gap(tmp_path: Path) -> None:
    old = capture(tmp_path, "old.whyheap", "2026-01-01T00:00:00Z", MIB, 5, with_profile=False)
    new = capture(tmp_path, "new.whyheap", "2026-01-01T01:00:00Z", MIB, 5)
    found = diff_captures(str(old), str(new), tmp_path, Access())
    assert found.lines == ()
    assert "no heap profile" in found.gaps[-1].reason


def test_packages_are_no_captures(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither capture"):
        diff_captures(".", ".", tmp_path, Access())


@pytest.mark.parametrize("width", [40, 64, 80, 140])
def test_the_terminal_shows_what_grew_within_its_width(diff: CaptureDiff, width: int) -> None:
    text = capture_diff_to_terminal(diff, width=width, color=False)
    assert "+80 MiB" in text
    assert max(cell_len(line) for line in text.split("\n")) <= width


def test_json_holds_all_lines(diff: CaptureDiff) -> None:
    told = json.loads(capture_diff_to_json(diff))
    assert [line["grown_bytes"] for line in told["lines"]] == [80 * MIB, 0]
    assert told["totals"]["inuse_bytes"] == [11 * MIB, 91 * MIB]
