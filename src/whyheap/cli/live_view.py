"""What a recording shows while it runs: memory against the limit, when it is reached, what grows. On standard error."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from whyheap.report.visible_text import visible
from whyheap.units import format_bytes, format_count, format_duration, format_rate

if TYPE_CHECKING:
    from whyheap.app.growing_now import GrowingNow
    from whyheap.collect.runtime_sample import RuntimeSample
    from whyheap.collect.witness import LiveWitness

_KEPT = 60
_PIPE_SECONDS = 60.0
_FORECAST_SECONDS = 2.0
_BAR = 24
_NARROWEST = 40
_WIDEST = 100
_LINES = 2
_NEAR, _HALF = 0.9, 0.7
_COLORS = {"red": "\x1b[31m", "yellow": "\x1b[33m", "": ""}


class LiveView:
    """Redraws a few lines in place on a terminal; elsewhere one line a minute; nothing when quiet."""

    def __init__(self, file: str, *, quiet: bool, no_color: bool, clock: Callable[[], float] = time.monotonic) -> None:
        """`file` is named in each line of a pipe."""
        self._clock = clock
        self._file = file
        self._quiet = quiet
        is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._draws = is_terminal and not quiet
        self._color = self._draws and not no_color and not os.environ.get("NO_COLOR")
        self._recent: deque[RuntimeSample] = deque(maxlen=_KEPT)
        self._growing: GrowingNow | None = None
        self._forecast = "no collections seen yet"
        self._forecast_at = float("-inf")
        self._drawn = 0
        self._told_at = float("-inf")
        self.samples = 0

    def show(self, sample: RuntimeSample, witness: LiveWitness) -> None:
        """Draw after a sample."""
        self.samples += 1
        if self._quiet:
            return
        if not self._draws:
            if self._clock() - self._told_at >= _PIPE_SECONDS:
                self._told_at = self._clock()
                click.echo(f"whyheap: {_memory(sample)}; {self._count()} in {self._file}", err=True)
            return
        self._recent.append(sample)
        now = self._clock()
        if now - self._forecast_at >= _FORECAST_SECONDS:  # trends take time, and do not change four times a second
            self._forecast_at = now
            self._forecast = self._foretell(witness.limit_name)
        growing = self._growing.lines[:_LINES] if self._growing else ()
        self._draw(
            [
                self._bar(sample),
                f"forecast {self._forecast}",
                f"now      {self._numbers(sample)}",
                *(
                    f"grows    {visible(line.place)}  {format_bytes(line.held_bytes)}, "
                    f"{format_bytes(line.grown_bytes)} more than at first"
                    for line in growing
                ),
            ]
        )

    def take_profile(self, raw: bytes) -> None:
        """Look for growing lines, where somebody looks."""
        if not self._draws:
            return
        if self._growing is None:
            from whyheap.app.growing_now import GrowingNow  # noqa: PLC0415 - only where somebody looks

            self._growing = GrowingNow()
        self._growing.take(raw)

    def note(self, text: str) -> None:
        """Say something that stays, above what is drawn."""
        if not self._quiet:
            self.end()
            click.echo(f"whyheap: {visible(text)}", err=True)

    def end(self) -> None:
        """Remove what was drawn."""
        if self._drawn:
            self._draw([])

    def _draw(self, lines: list[str]) -> None:
        """Overwrite each line in place, in one write: nothing flickers."""
        width = min(max(shutil.get_terminal_size().columns - 1, _NARROWEST), _WIDEST)
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        body = "".join(f"\r{self._painted(f' {line}'[:width])}\x1b[K\n" for line in lines)
        rest = "\r\x1b[J" if len(lines) < self._drawn else ""
        sys.stderr.write(up + body + rest)
        sys.stderr.flush()
        self._drawn = len(lines)

    def _painted(self, line: str) -> str:
        """Colour the bar by how near the limit is."""
        begin, end = line.find("["), line.find("]")
        if not self._color or begin < 0 or not line.startswith(" memory") or end < begin:
            return line
        share = line.count("#") / _BAR
        color = _COLORS["red" if share >= _NEAR else "yellow" if share >= _HALF else ""]
        return f"{line[:begin]}{color}{line[begin : end + 1]}\x1b[0m{line[end + 1 :]}" if color else line

    def _bar(self, sample: RuntimeSample) -> str:
        limit = sample.values.get("container_limit", 0.0)
        if limit < 1:
            return f"memory   {_memory(sample)}"
        share = min(sample.values.get("container_usage", 0.0) / limit, 1.0)
        full = int(share * _BAR + 0.5)
        return f"memory   [{'#' * full}{'.' * (_BAR - full)}] {share:4.0%}  {_memory(sample)}"

    def _foretell(self, limit_name: str) -> str:
        from whyheap.causes.forecast import forecast_limit  # noqa: PLC0415 - only where somebody looks
        from whyheap.causes.history import RuntimeHistory  # noqa: PLC0415 - as above

        history = RuntimeHistory(tuple(self._recent), limit_name=limit_name)
        trend = history.live_trend
        if trend is None:
            return "too few collections yet to tell"
        if not trend.grows:
            return f"live heap does not grow: {trend.reason}"
        soon = forecast_limit(history, trend.slope)
        rate = f"live heap grows {format_rate(trend.slope.value)}"
        if soon is None:
            return rate
        latest = f" to {format_duration(soon.latest)}" if soon.latest is not None else " or more"
        return f"{rate}: limit in {format_duration(soon.seconds)} ({format_duration(soon.earliest)}{latest})"

    def _numbers(self, sample: RuntimeSample) -> str:
        values = sample.values
        told = []
        if "heap_alloc" in values:
            told.append(f"heap {format_bytes(values['heap_alloc'])}")
        if "goroutines" in values:
            told.append(f"{format_count(values['goroutines'])} goroutines")
        if "threads" in values:
            told.append(f"{format_count(values['threads'])} threads")
        told.append(f"{format_duration(sample.seconds)}, {self._count()}")
        return ", ".join(told)

    def _count(self) -> str:
        return f"{format_count(self.samples)} sample{'' if self.samples == 1 else 's'}"


def _memory(sample: RuntimeSample) -> str:
    values = sample.values
    used = values.get("container_usage", values.get("rss", values.get("heap_inuse", 0.0)))
    limit = values.get("container_limit")
    return f"{format_bytes(used)} of {format_bytes(limit)}" if limit else format_bytes(used)
