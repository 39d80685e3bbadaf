"""Outputs of commands whose forms are not those of the reports: `fix` and `explain`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath

from whyheap.cli.output import write
from whyheap.errors import OutputError, UsageError
from whyheap.report.formats import STDOUT

Forms = Mapping[str, Sequence[str]]
"""The suffixes of each form; the first form is that of standard output."""


def plan_forms(outputs: Sequence[str], requested: str | None, forms: Forms) -> list[tuple[str, str]]:
    """Decide on the form of each output before the work begins: that of its suffix, or `requested` (`--format`).

    --format speaks of the one -o; of standard output when there is none. Standard output carries the report in any
    case. Raises UsageError for a file whose name says no form.
    """
    files = [one for one in outputs if one != STDOUT]
    of_file = requested if len(files) == 1 and STDOUT not in outputs else None
    if requested is not None and len(files) > 1 and STDOUT not in outputs:
        raise UsageError(f"--format {requested} speaks of one output, and there are {len(files)}", "Leave it out")
    of_stdout = next(iter(forms)) if requested is None or of_file is not None else requested
    return [(STDOUT, of_stdout), *((path, of_file or _by_suffix(path, forms)) for path in files)]


def write_forms(planned: Sequence[tuple[str, str]], render: Callable[[str, str], bytes]) -> None:
    """Write each output; `render` is told the form, and where it goes.

    Raises the first output's error when all others are written.
    """
    failures: list[OSError | OutputError] = []
    for path, form in planned:
        try:
            write(path, render(form, path))
        except (OSError, OutputError) as error:
            failures.append(error)
    for failure in failures:
        raise failure


def _by_suffix(path: str, forms: Forms) -> str:
    name = PurePath(path).name.casefold()
    for form, suffixes in forms.items():
        if name.endswith(tuple(suffixes)):
            return form
    known = [suffix for suffixes in forms.values() for suffix in suffixes]
    raise UsageError(
        f"{path!a} does not say its format: its name ends in none of {', '.join(known[:-1])} and {known[-1]}.",
        "Add such an ending, or give --format.",
    )
