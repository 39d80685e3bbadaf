"""Where reports go: standard output and files, each in its format."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

import click

from whyheap.errors import OutputError
from whyheap.host.files import write_atomically
from whyheap.report.formats import Format, FormatKind, format_for

_PIPE_WIDTH = 100
Render = Callable[[Format], bytes]


@dataclass(frozen=True, slots=True)
class Terminal:
    """What standard output can show."""

    width: int
    color: bool

    @classmethod
    def detect(cls, *, no_color: bool) -> Terminal:
        """Look at standard output and the environment (COLUMNS, NO_COLOR, TERM)."""
        is_terminal = sys.stdout.isatty()
        plain = no_color or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        width = shutil.get_terminal_size((_PIPE_WIDTH, 24)).columns
        return cls(width, is_terminal and not plain)


def plan(outputs: Sequence[str], requested: str | None, allowed: Sequence[FormatKind]) -> list[tuple[str, Format]]:
    """Decide on all outputs before the work begins, so that a typing error costs nothing."""
    stdout = [] if "-" in outputs else [("-", format_for(None, requested if not outputs else None))]
    named = [
        (path, format_for(None if path == "-" else path, requested if len(outputs) == 1 else None)) for path in outputs
    ]
    planned = [*stdout, *named]
    for path, format_ in planned:
        if format_.kind not in allowed:
            raise click.UsageError(f"{format_.name} cannot be written here ({path}).")
    return planned


def write_all(planned: Sequence[tuple[str, Format]], render: Render) -> None:
    """Render and write each output; files atomically and readable by the user alone.

    Raises the first output's error when all others are written.
    """
    failures: list[OSError | OutputError] = []
    for path, format_ in planned:
        data = render(format_)
        try:
            if path == "-":
                write_stdout(data)
            else:
                write_atomically(path, data)
        except (OSError, OutputError) as error:
            failures.append(error)
    for failure in failures:
        raise failure


def write_stdout(data: bytes) -> None:
    """Write bytes to standard output."""
    stream: IO[bytes] = sys.stdout.buffer
    stream.write(data)
    stream.flush()


class Progress:
    """One line on standard error that says what is being done, when it is a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        """Nothing is shown when `quiet` or when standard error is not a terminal."""
        self._shown = not quiet and sys.stderr.isatty()
        self._quiet = quiet
        self._width = 0

    def __call__(self, text: str) -> None:
        """Show what is being done now."""
        if not self._shown:
            return
        room = shutil.get_terminal_size().columns - 1
        line = f"whyheap: {text}"[:room]
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)

    def clear(self) -> None:
        """Remove the line."""
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
            self._width = 0

    def note(self, text: str) -> None:
        """Say something that stays."""
        self.clear()
        if not self._quiet:
            click.echo(f"whyheap: {text}", err=True)
