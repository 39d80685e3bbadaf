"""`whyheap explain`."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from whyheap.cli.main import print_error
from whyheap.cli.options import binary_option, build_options, common_options, go_env, headers_of, seconds_of
from whyheap.cli.output import Progress, Terminal
from whyheap.cli.own_forms import plan_forms, write_forms
from whyheap.errors import UsageError
from whyheap.report.formats import STDOUT

if TYPE_CHECKING:
    from whyheap.app.line_explanation import LineExplanation

_FORMS = {"text": (".txt",), "json": (".json",)}
_PLACE = re.compile(r"^(.+\.go):(\d+)(?::\d+)?$")


@click.command()
@click.argument("place", metavar="FILE:LINE")
@click.argument("targets", nargs=-1)
@click.option("--seconds", default="10", metavar="N", help="How long to observe a service; 0 = one moment [10].")
@click.option("--asm", is_flag=True, help="The machine code of the whole function.")
@click.option("--format", "format_", type=click.Choice(tuple(_FORMS)), help="Form of standard output, or of -o [text].")
@click.option(
    "-o", "--output", "outputs", multiple=True, metavar="FILE", help="Also into a file, by suffix. Repeatable."
)
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Sent to the service. Repeatable.")
@build_options
@binary_option
@common_options
def explain(
    place: str,
    targets: tuple[str, ...],
    *,
    seconds: str,
    asm: bool,
    format_: str | None,
    outputs: tuple[str, ...],
    headers: tuple[str, ...],
    go: str,
    tags: str,
    gcflags: str,
    goos: str,
    goarch: str,
    binary: Path | None,
    quiet: bool,
    verbose: bool,
    no_color: bool,
) -> int:
    """Show all that every witness knows about FILE:LINE, as a readable chain.

    TARGETS are as for why: a service, a profile or a capture add measured bytes; the file's own package is scanned.
    """
    from whyheap.app.explain import explain_targets  # noqa: PLC0415 - help needs none of these
    from whyheap.app.gather import WhyRequest, gather  # noqa: PLC0415 - as above
    from whyheap.app.line_explanation import explain_line  # noqa: PLC0415 - as above
    from whyheap.host.http import Access  # noqa: PLC0415 - as above

    found = _PLACE.match(place)
    if found is None:
        raise UsageError(f"{place!r} is not FILE:LINE", "For example:  whyheap explain render.go:10")
    file, line = found[1], int(found[2])
    if line == 0:
        raise UsageError(f"{place} names no line: the first one is 1", f"For example:  whyheap explain {file}:1")
    folder = Path.cwd()
    planned = plan_forms(outputs, format_, _FORMS)
    progress = Progress(quiet=quiet)
    terminal = Terminal.detect(no_color=no_color)
    request = WhyRequest(
        explain_targets(file, targets, folder),
        folder,
        seconds_of(seconds, "--seconds"),
        go,
        go_env(goos, goarch),
        tags,
        gcflags,
        Access(headers_of(headers)),
        binary,
        tests=file.endswith("_test.go"),
    )
    try:
        gathered = gather(request, progress)
        explained = explain_line(
            gathered,
            file,
            line,
            folder,
            binary=binary,
            whole_code=asm,
            with_roots=any(form == "json" for _, form in planned),
        )
    finally:
        progress.clear()
    write_forms(planned, partial(_rendered, explained, terminal, whole_code=asm))
    if verbose:
        for origin in gathered.capture.origins:
            progress.note(f"{origin.witness}: {origin.tool}, {origin.input} at {origin.at}")
    for failure in gathered.failures:
        print_error(failure)
    return max((failure.exit_code for failure in gathered.failures), default=0)


def _rendered(explained: LineExplanation, terminal: Terminal, format_: str, path: str, *, whole_code: bool) -> bytes:
    if format_ == "json":
        from whyheap.report.explain_json import explain_to_json  # noqa: PLC0415 - when asked for

        return explain_to_json(explained.report, explained.file, explained.line, explained.details)
    from whyheap.report.terminal_explain import explain_to_terminal  # noqa: PLC0415 - brings rich

    return explain_to_terminal(
        explained.report,
        explained.file,
        explained.line,
        width=terminal.width,
        color=terminal.color and path == STDOUT,
        details=explained.details,
        whole_code=whole_code,
    ).encode("utf-8", "replace")
