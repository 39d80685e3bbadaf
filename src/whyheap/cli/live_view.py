"""What a recording shows while it runs: memory against the limit, when it is reached, what grows. On standard error."""

from __future__ import annotations

import shutil
import sys
import time
from collections import deque
from typing import TYPE_CHECKING

import click

from whyheap.units import format_bytes, format_count, format_duration

if TYPE_CHECKING:
    from whyheap.collect.runtime_sample import RuntimeSample
    from whyheap.collect.witness import LiveWitness

_KEPT = 60
_PIPE_SECONDS = 60.0
_BAR = 20
_NARROWEST = 40


class LiveView:
    """Redraws three lines in place on a terminal; elsewhere one line a minute; nothing when quiet."""

    def __init__(self, file: str, *, quiet: bool, no_color: bool) -> None:
        """`file` is named in the last line."""
        self._file = file
        self._quiet = quiet
        self._is_terminal = sys.stderr.isatty()
        self._color = self._is_terminal and not no_color
        self._recent: deque[RuntimeSample] = deque(maxlen=_KEPT)
        self._drawn = 0
        self._told_at = float("-inf")
        self.samples = 0

    def show(self, sample: RuntimeSample, witness: LiveWitness) -> None:
        """Draw after a sample."""
        self.samples += 1
        self._recent.append(sample)
        if self._quiet:
            return
        if not self._is_terminal:
            if time.monotonic() - self._told_at >= _PIPE_SECONDS:
                self._told_at = time.monotonic()
                click.echo(f"whyheap: {self._memory(sample)}; {self.samples} samples in {self._file}", err=True)
            return
        width = max(shutil.get_terminal_size().columns - 1, _NARROWEST)
        lines = [self._bar(sample), self._forecast(witness.limit_name), self._numbers(sample)]
        self._draw([f" {line}"[:width] for line in lines])

    def end(self) -> None:
        """Remove what was drawn."""
        if self._drawn:
            self._draw([])

    def _draw(self, lines: list[str]) -> None:
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        body = "".join(f"\r\x1b[2K{line}\n" for line in lines)
        sys.stderr.write(f"{up}{body}" + ("\r\x1b[J" if len(lines) < self._drawn else ""))
        sys.stderr.flush()
        self._drawn = len(lines)

    def _memory(self, sample: RuntimeSample) -> str:
        values = sample.values
        used = values.get("container_usage", values.get("rss", values.get("heap_inuse", 0.0)))
        limit = values.get("container_limit")
        return f"{format_bytes(used)} of {format_bytes(limit)}" if limit else format_bytes(used)

    def _bar(self, sample: RuntimeSample) -> str:
        values = sample.values
        limit = values.get("container_limit", 0.0)
        share = min(values.get("container_usage", 0.0) / limit, 1.0) if limit >= 1 else 0.0
        full = round(share * _BAR)
        bar = f"[{'#' * full}{'.' * (_BAR - full)}] {share:4.0%}  " if limit else ""
        return f"memory   {bar}{self._memory(sample)}"

    def _forecast(self, limit_name: str) -> str:
        from whyheap.causes.forecast import forecast_limit  # noqa: PLC0415 - only where somebody looks
        from whyheap.causes.history import RuntimeHistory  # noqa: PLC0415 - as above

        history = RuntimeHistory(tuple(self._recent), limit_name=limit_name)
        trend = history.live_trend
        if trend is None:
            return "forecast too few collections yet to tell"
        if not trend.grows:
            return f"forecast the live heap does not grow: {trend.reason}"
        soon = forecast_limit(history, trend.slope)
        rate = f"the live heap grows {format_bytes(trend.slope.value)}/s"
        return f"forecast {rate}" + (f": the limit in about {format_duration(soon.seconds)}" if soon else "")

    def _numbers(self, sample: RuntimeSample) -> str:
        values = sample.values
        told = []
        if "heap_alloc" in values:
            told.append(f"heap {format_bytes(values['heap_alloc'])}")
        if "goroutines" in values:
            told.append(f"{format_count(values['goroutines'])} goroutines")
        if "threads" in values:
            told.append(f"{format_count(values['threads'])} threads")
        told.append(f"{format_duration(sample.seconds)}, {format_count(self.samples)} samples")
        return "now      " + ", ".join(told)
