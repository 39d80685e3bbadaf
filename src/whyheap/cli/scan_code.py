"""What `whyheap scan --calls`, `--functions` and `--bounds` print: tables of one witness, without a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from whyheap.cli.output import Progress, Terminal, write, write_stdout
from whyheap.errors import UsageError

if TYPE_CHECKING:
    from whyheap.collect.compiled_packages import CompiledPackages
    from whyheap.model.facts import AllocatorCall
    from whyheap.model.scan import Scan


_SUFFIXES: Final = {".jsonl": "jsonl", ".ndjson": "jsonl", ".txt": "text", ".text": "text"}


def check_table(
    option: str,
    format_: str | None,
    formats: Sequence[str],
    others: Sequence[tuple[str, bool]],
    outputs: Sequence[str] = (),
) -> None:
    """Refuse what a table of its own cannot be given: other formats, and options that are for reports."""
    hint = f"It is written as {' or '.join(formats)}"
    if format_ not in {None, *formats}:
        raise UsageError(f"{option} is not written as {format_}", hint)
    for output in outputs:
        if output != "-" and format_ is None and _form(output) not in formats:
            raise UsageError(f"{output!a} does not say a format that {option} has", hint)
    if len(outputs) > 1 and len(formats) == 1:
        raise UsageError(f"{option} is written to one place", f"Name one -o, or none:  {option} > FILE.{formats[0]}")
    for other, is_given in others:
        if is_given:
            raise UsageError(f"{option} and {other} do not go together", "Ask for one of them at a time")


def write_program_calls(binary: Path, outputs: Sequence[str]) -> int:
    """Write all allocator calls of one program as JSON lines."""
    from whyheap.app.linked_code import linked_calls  # noqa: PLC0415 - brings numpy

    return _write_calls(linked_calls(binary), outputs)


def write_package_calls(compiled: CompiledPackages, outputs: Sequence[str]) -> int:
    """Write the allocator calls of the scanned packages as JSON lines."""
    from whyheap.app.linked_code import package_calls  # noqa: PLC0415 - brings numpy

    return _write_calls(package_calls(compiled.load()), outputs)


def write_functions(
    compiled: CompiledPackages,
    binary: Path | None,
    outputs: Sequence[str],
    format_: str | None,
    terminal: Terminal,
    progress: Progress,
    *,
    all_rows: bool,
) -> int:
    """Write which functions allocate, callees included."""
    from whyheap.app.function_verdicts import function_verdicts  # noqa: PLC0415 - brings numpy
    from whyheap.report.function_verdicts_text import (  # noqa: PLC0415 - brings rich
        function_verdicts_to_jsonl,
        function_verdicts_to_terminal,
    )

    progress("following calls")
    scan = _code(compiled, binary)
    verdicts = list(function_verdicts(compiled, scan, binary))
    progress.clear()
    show = partial(function_verdicts_to_terminal, verdicts, scan.gaps, width=terminal.width, all_rows=all_rows)
    return _write_table(outputs, format_, terminal, partial(function_verdicts_to_jsonl, verdicts), show)


def write_bounds(
    compiled: CompiledPackages,
    outputs: Sequence[str],
    format_: str | None,
    terminal: Terminal,
    progress: Progress,
    *,
    all_rows: bool,
) -> int:
    """Write the bounds checks that the compiler kept, and the hazards."""
    from whyheap.app.bounds import bounds  # noqa: PLC0415 - brings ast-grep
    from whyheap.report.bounds_text import bounds_to_jsonl, bounds_to_terminal  # noqa: PLC0415 - brings rich

    progress("reading bounds checks")
    found = bounds(compiled)
    progress.clear()
    told = found.checks, found.hazards
    show = partial(bounds_to_terminal, *told, found.gaps, width=terminal.width, all_rows=all_rows)
    return _write_table(outputs, format_, terminal, partial(bounds_to_jsonl, *told), show)


def _write_table(
    outputs: Sequence[str],
    format_: str | None,
    terminal: Terminal,
    jsonl: Callable[[], bytes],
    show: Callable[..., str],
) -> int:
    """Write a table to each output; `show` is given the colour that the output can take."""
    for output in outputs or ("-",):
        if (format_ or _form(output)) == "jsonl":
            write(output, jsonl())
        else:
            write(output, show(color=terminal.color and output == "-").encode("utf-8", "replace"))
    return 0


def _form(output: str) -> str:
    """Return the format that a file's name says, "" when it says none."""
    return _SUFFIXES.get(Path(output).suffix.casefold(), "")


def _code(compiled: CompiledPackages, binary: Path | None) -> Scan:
    scan = compiled.load()
    if binary is None:
        return scan
    from whyheap.app.linked_code import link  # noqa: PLC0415 - only with --binary

    return link(scan, binary)


def _write_calls(calls: Iterable[AllocatorCall], outputs: Sequence[str]) -> int:
    from whyheap.report.calls_jsonl import write_calls  # noqa: PLC0415 - only here

    pieces = write_calls(calls)
    if not outputs or outputs[0] == "-":
        for piece in pieces:
            write_stdout(piece)
    else:
        write(outputs[0], b"".join(pieces))
    return 0
