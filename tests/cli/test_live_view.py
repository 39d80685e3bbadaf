"""What a recording shows while it runs."""

from __future__ import annotations

import re
import sys
from typing import cast

import pytest

from causes.series import MIB, process
from whyheap.app.growing_now import GrowingLine, GrowingNow
from whyheap.cli.live_view import LiveView
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.collect.witness import LiveWitness

GROWS = process(
    lambda second: (50 + 5 * second) * MIB,
    more={"container_limit": 1024.0 * MIB, "container_usage": 512.0 * MIB, "threads": 9.0},
)


class Named:
    """A witness that only has a limit."""

    limit_name = "cgroup v2 /shop"


def seen(view: LiveView, *samples: RuntimeSample) -> None:
    for sample in samples:
        view.show(sample, cast("LiveWitness", Named()))


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the stream that is captured now a terminal of 80 columns."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_a_terminal_shows_memory_against_the_limit_forecast_and_what_grows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch)
    view = LiveView("x.whyheap", quiet=False, no_color=True, clock=iter(range(0, 900, 3)).__next__)
    lines_now = (GrowingLine("cache.go:41", 200 * MIB, 80 * MIB), GrowingLine("a\x1b[2Jb.go:1", MIB, MIB))
    monkeypatch.setattr(GrowingNow, "lines", lines_now, raising=False)
    monkeypatch.setattr(GrowingNow, "__init__", lambda _: None)
    view.take_profile(b"")
    seen(view, *GROWS)
    text = capsys.readouterr().err
    last = text.rpartition("\x1b[5A")[2]
    lines = [line.strip("\r").replace("\x1b[K", "") for line in last.split("\n")[:-1]]
    assert lines[0] == " memory   [############............]  50%  512 MiB of 1 GiB"
    assert lines[1].startswith(" forecast live heap grows 5.0 MiB/s: limit in ")
    assert "heap" in lines[2]
    assert "9 threads" in lines[2]
    assert lines[3] == " grows    cache.go:41  200 MiB, 80 MiB more than at first"
    assert "\x1b" not in lines[4]  # what a profile says cannot move the cursor
    assert all(len(line) < 80 for line in lines)
    view.end()
    assert capsys.readouterr().err == "\x1b[5A\r\x1b[J"


def test_each_look_is_drawn_in_one_write_over_the_one_before(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch)
    view = LiveView("x.whyheap", quiet=False, no_color=True)
    seen(view, GROWS[0], GROWS[1])
    text = capsys.readouterr().err
    assert text.count("\x1b[3A") == 1  # three lines up, then each is overwritten
    assert "\x1b[2J" not in text
    view.note("the disk is full")
    assert capsys.readouterr().err == "\x1b[3A\r\x1b[Jwhyheap: the disk is full\n"


@pytest.mark.parametrize(("usage", "color"), [(512.0, ""), (800.0, "\x1b[33m"), (1000.0, "\x1b[31m")])
def test_the_bar_is_coloured_near_the_limit(
    usage: float, color: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch)
    values = {**GROWS[0].values, "container_usage": usage * MIB}
    seen(LiveView("x.whyheap", quiet=False, no_color=False), RuntimeSample("", 0.0, values))
    found = re.findall(r"\x1b\[3\dm", capsys.readouterr().err)
    assert found == ([color] if color else [])


def test_a_pipe_gets_a_line_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    view = LiveView("x.whyheap", quiet=False, no_color=False)
    seen(view, *GROWS)
    assert capsys.readouterr().err == "whyheap: 512 MiB of 1 GiB; 1 sample in x.whyheap\n"
    view.end()
    assert capsys.readouterr().err == ""


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    view = LiveView("x.whyheap", quiet=True, no_color=False)
    seen(view, *GROWS)
    view.take_profile(b"")
    view.note("anything")
    view.end()
    assert capsys.readouterr().err == ""
    assert view.samples == len(GROWS)


def test_a_sample_that_tells_little_is_shown_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch)
    seen(LiveView("x.whyheap", quiet=False, no_color=False), RuntimeSample("", 0.0, {}))
    assert "memory" in capsys.readouterr().err
