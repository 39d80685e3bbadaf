"""Where reports go: standard output and files, each in its format."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import click
from click.core import ParameterSource

from whyheap.errors import OutputError, UsageError
from whyheap.host.files import write_atomically
from whyheap.report.formats import STDOUT, Format, FormatKind, format_for

if TYPE_CHECKING:
    from whyheap.model.violation import GateResult

_PIPE_WIDTH = 100
_PATIENCE_SECONDS = 30.0
_SUFFIXES = "Leave it out: each file's suffix is its format"
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


def plan(
    outputs: Sequence[str], requested: str | None, allowed: Sequence[FormatKind], *, redact: bool
) -> list[tuple[str, Format]]:
    """Decide on all outputs before the work begins, so that a typing error costs nothing.

    --format speaks of the one -o; of standard output when there is none, or when it comes from a configuration.
    """
    is_for_file = requested is not None and not _is_default("format_") and len(outputs) == 1
    if requested is not None and not _is_default("format_") and len(outputs) > 1 and STDOUT not in outputs:
        raise UsageError(f"--format {requested} speaks of one output, and there are {len(outputs)}", _SUFFIXES)
    of_stdout = None if is_for_file and STDOUT not in outputs else requested
    of_gate = FormatKind.GATE in allowed
    planned = [] if STDOUT in outputs else [(STDOUT, format_for(None, of_stdout, of_gate=of_gate))]
    for path in outputs:
        wanted = of_stdout if path == STDOUT else requested if is_for_file else None
        planned.append((path, format_for(path, wanted, of_gate=of_gate)))
    for path, format_ in planned:
        if not any(format_.takes(kind) for kind in allowed):
            raise click.UsageError(f"{format_.name} cannot be written here ({path}).")
        if redact and format_.kind is FormatKind.CAPTURE:
            raise UsageError(f"--redact cannot clean a capture ({path})", "Write it without --redact, or a report with")
    return planned


def _is_default(parameter: str) -> bool:
    """Whether an option of the running command was not typed."""
    source = click.get_current_context().get_parameter_source(parameter)
    return source in {ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP}


def write_all(planned: Sequence[tuple[str, Format]], render: Render) -> None:
    """Render and write each output; files atomically and readable by the user alone.

    Raises the first output's error when all others are written.
    """
    failures: list[OSError | OutputError] = []
    for path, format_ in planned:
        data = render(format_)
        try:
            write(path, data)
        except (OSError, OutputError) as error:
            failures.append(error)
    for failure in failures:
        raise failure


def write_gate(
    planned: Sequence[tuple[str, Format]],
    result: GateResult,
    progress: Progress,
    *,
    color: bool = False,
    all_rows: bool = False,
    accept: str = "",
) -> None:
    """Write what a gate, or a test run with checks, found; what a format leaves out is said on standard error.

    `accept` is the command that takes new sites into the baseline, if there is one.
    """
    of_stdout = next((form for path, form in planned if path == STDOUT), None)

    def render(form: Format) -> bytes:
        draw = form.load(FormatKind.GATE)
        if form.name == "text":
            rendered = draw(result, color=color and form is of_stdout, all_rows=all_rows, accept=accept)
        else:
            rendered = draw(result)
        data: bytes = rendered if isinstance(rendered, bytes) else str(rendered).encode("utf-8", "replace")
        if left_out := form.left_out(result, data):
            progress.note(f"{form.name}: {left_out}")
        return data

    write_all(planned, render)


def write(path: str, data: bytes) -> None:
    """Write one output. Raises OutputError, or BrokenPipeError when the reader of standard output has gone."""
    if path == STDOUT:
        write_stdout(data)
    else:
        write_atomically(path, data)


def write_stdout(data: bytes) -> None:
    """Write bytes to standard output. Raises OutputError, or BrokenPipeError when its reader has gone."""
    stream: IO[bytes] = sys.stdout.buffer
    try:
        stream.write(data)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise stdout_error(error) from error


def stdout_error(error: OSError) -> OutputError:
    """Say what standard output did not take, and drop the rest of it."""
    discard_stdout()
    return OutputError(
        f"standard output could not be written: {error.strerror or error}.", "Write to a file instead:  -o FILE"
    )


def discard_stdout() -> None:
    """Let what is left in the buffer go nowhere, so that Python does not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Progress:
    """One line on standard error that says what is being done, when it is a terminal; else a plain line now and then.

    A log hears of nothing that ends within _PATIENCE_SECONDS, and of what lasts longer once in that time.
    """

    def __init__(self, *, quiet: bool) -> None:
        """Nothing is shown when `quiet`."""
        self._shown = not quiet and sys.stderr.isatty()
        self._quiet = quiet
        self._width = 0
        self._doing = ""
        self._begun = time.monotonic()
        self._done: threading.Event | None = None  # ends the thread that speaks to a log

    def __call__(self, text: str) -> None:
        """Show what is being done now."""
        if not self._shown:
            self._doing = text
            if self._done is None and not self._quiet:
                self._done = threading.Event()
                threading.Thread(target=self._tell, args=(self._done,), daemon=True).start()
            return
        room = shutil.get_terminal_size().columns - 1
        line = f"whyheap: {text}"[:room]
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)

    def _tell(self, done: threading.Event) -> None:
        """Say to a log what is being done, as long as it lasts."""
        while not done.wait(_PATIENCE_SECONDS):
            try:
                minutes, seconds = divmod(round(time.monotonic() - self._begun), 60)
                sys.stderr.write(f"whyheap: {self._doing} ({minutes} min {seconds} s so far)\n")
                sys.stderr.flush()
            except (OSError, ValueError):  # nobody reads it any more
                return

    def clear(self) -> None:
        """Remove the line, and say nothing more until something is being done again."""
        if self._done is not None:
            self._done.set()
            self._done = None
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
            self._width = 0

    def note(self, text: str) -> None:
        """Say something that stays."""
        self.clear()
        if not self._quiet:
            click.echo(f"whyheap: {text}", err=True)
