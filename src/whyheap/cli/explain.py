"""`whyheap explain`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from whyheap.cli.main import print_error
from whyheap.cli.options import build_options, common_options, go_env, headers_of, seconds_of
from whyheap.cli.output import Progress, Terminal, write_stdout
from whyheap.errors import UsageError

_PLACE = re.compile(r"^(.+\.go):(\d+)(?::\d+)?$")


@click.command()
@click.argument("place", metavar="FILE:LINE")
@click.argument("targets", nargs=-1)
@click.option("--seconds", default="10", metavar="N", help="How long to observe a service; 0 = one moment [10].")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Sent to the service. Repeatable.")
@build_options
@common_options
def explain(
    place: str,
    targets: tuple[str, ...],
    *,
    seconds: str,
    headers: tuple[str, ...],
    go: str,
    tags: str,
    gcflags: str,
    goos: str,
    goarch: str,
    quiet: bool,
    verbose: bool,
    no_color: bool,
) -> int:
    """Show all that every witness knows about FILE:LINE, as a readable chain.

    TARGETS are as for why: a service, a profile or a capture add measured bytes; the file's own package is scanned.
    """
    from whyheap.app.analyse import View, analyse  # noqa: PLC0415 - help needs none of these
    from whyheap.app.explain import about_file, explain_targets  # noqa: PLC0415 - as above
    from whyheap.app.gather import WhyRequest, gather  # noqa: PLC0415 - as above
    from whyheap.host.http import Access  # noqa: PLC0415 - as above

    found = _PLACE.match(place)
    if found is None:
        raise UsageError(f"{place!r} is not FILE:LINE", "For example:  whyheap explain render.go:88")
    file, line = found[1], int(found[2])
    folder = Path.cwd()
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
    )
    try:
        gathered = gather(request, progress)
        analysis = analyse(gathered.capture, View(with_flame=False), gathered.files)
    finally:
        progress.clear()
    from whyheap.report.to_terminal import explain_to_terminal  # noqa: PLC0415 - brings rich

    report, name = about_file(analysis.report, gathered.capture, file, folder)
    text = explain_to_terminal(report, name, line, width=terminal.width, color=terminal.color)
    write_stdout(text.encode("utf-8", "replace"))
    if verbose:
        for origin in gathered.capture.origins:
            progress.note(f"{origin.witness}: {origin.tool}, {origin.input} at {origin.at}")
    for failure in gathered.failures:
        print_error(failure)
    return max((failure.exit_code for failure in gathered.failures), default=0)
