"""`whyheap why`: the main job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from whyheap import __version__
from whyheap.cli.history_options import history_of, history_options
from whyheap.cli.main import print_error
from whyheap.cli.options import binary_option, build_options, go_env, headers_of, pattern_of, report_options, seconds_of
from whyheap.cli.output import Progress, Terminal, plan, write, write_all
from whyheap.errors import UsageError
from whyheap.report.formats import STDOUT, Format, FormatKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from whyheap.app.analyse import Analysis
    from whyheap.app.gather import Gathered
    from whyheap.capture import Capture


@click.command()
@click.argument("targets", nargs=-1)
@click.option("--seconds", default="10", metavar="N", help="How long to observe a service; 0 = one moment [10].")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Sent to the service. Repeatable.")
@click.option("--timeout", default="30", metavar="N", help="Longest wait for one answer of the service [30].")
@click.option("--ca-file", default="", metavar="FILE", help="Trust this certificate authority.")
@click.option("--insecure", is_flag=True, help="Do not check the service's certificate.")
@click.option(
    "--goroutineleak",
    is_flag=True,
    help="ACTS on the service: forces a collection that finds goroutines which can never go on (Go 1.27).",
)
@history_options
@binary_option
@build_options
@report_options
def why(
    targets: tuple[str, ...],
    *,
    seconds: str,
    headers: tuple[str, ...],
    timeout: str,
    ca_file: str,
    insecure: bool,
    goroutineleak: bool,
    prometheus: str,
    at: str,
    history: str,
    selector: str,
    prometheus_headers: tuple[str, ...],
    binary: Path | None,
    go: str,
    tags: str,
    gcflags: str,
    goos: str,
    goarch: str,
    outputs: tuple[str, ...],
    format_: str | None,
    focus: str,
    all_rows: bool,
    no_source: bool,
    redact: bool,
    quiet: bool,
    verbose: bool,
    no_color: bool,
) -> int:
    """Say why a Go process runs out of memory, which lines are to blame, why they are on the heap and what to change.

    TARGETS are packages (., ./...), http(s)://HOST:PORT of a service with net/http/pprof, pid:N, a pod as
    k8s:NAMESPACE/POD[:PORT], heap profiles, crash output, gctrace text and saved captures (*.whyheap); . when none is
    named. Nothing is changed, no collection is forced, nothing is stopped, unless an
    option says ACTS.
    """
    from whyheap.app.analyse import View, analyse  # noqa: PLC0415 - help needs none of these
    from whyheap.app.gather import Interrupted, WhyRequest, gather  # noqa: PLC0415 - as above
    from whyheap.host.http import Access  # noqa: PLC0415 - as above

    planned = plan(outputs, format_, (FormatKind.REPORT, FormatKind.PROFILE, FormatKind.CAPTURE), redact=redact)
    planned.sort(key=lambda output: output[1].kind is not FormatKind.CAPTURE)  # the first to be safe
    terminal = Terminal.detect(no_color=no_color)
    progress = Progress(quiet=quiet)
    access = Access(headers_of(headers), seconds_of(timeout, "--timeout"), ca_file=ca_file, insecure=insecure)
    past = history_of(
        prometheus,
        at,
        history,
        selector,
        prometheus_headers,
        timeout_seconds=seconds_of(timeout, "--timeout"),
        ca_file=ca_file,
        insecure=insecure,
    )
    request = WhyRequest(
        targets or (() if past else (".",)),
        Path.cwd(),
        seconds_of(seconds, "--seconds"),
        go,
        go_env(goos, goarch),
        tags,
        gcflags,
        access,
        binary,
        history=past,
        goroutineleak=goroutineleak,
    )
    with_flame = any(form.name == "html" for _, form in planned)
    view = View(pattern_of(focus), keep_sources=not no_source, with_flame=with_flame)
    try:
        gathered = gather(request, progress)
        progress("judging")
        try:
            analysis = analyse(gathered.capture, view, gathered.files)
        except BaseException:  # also Ctrl-C
            progress.clear()
            _save_unjudged(gathered.capture, planned)
            raise
    except Interrupted as interrupted:
        progress.clear()
        _save_unjudged(interrupted.capture, planned)
        raise
    finally:
        progress.clear()
    if redact:
        from whyheap.app.redact import redacted, redacted_profile  # noqa: PLC0415 - when asked for

        profile = redacted_profile(analysis.profile) if analysis.profile else None
        analysis = replace(analysis, report=redacted(analysis.report), profile=profile)

    def render(form: Format) -> bytes:
        output = _render(form, analysis, gathered.capture, terminal, all_rows=all_rows)
        if left_out := form.left_out(analysis.report, output):
            progress.note(f"{form.name}: {left_out}")
        return output

    write_all(planned, render)
    if verbose:
        for origin in gathered.capture.origins:
            progress.note(f"{origin.witness}: {origin.tool}, {origin.command}, {origin.input} at {origin.at}")
    return _exit_code(gathered)


def _render(form: Format, analysis: Analysis, capture: Capture, terminal: Terminal, *, all_rows: bool) -> bytes:
    if form.kind is FormatKind.CAPTURE:
        from whyheap.capture import save_capture  # noqa: PLC0415 - help does not need it

        return save_capture(replace(capture, sources=dict(analysis.sources)), __version__)
    if form.kind is FormatKind.PROFILE:
        if analysis.profile is None:
            raise UsageError(f"there is no heap profile to write as {form.name}", "Name a service or a profile")
        return _bytes(form.load()(analysis.profile))
    if form.name == "text":
        from whyheap.report.to_terminal import scan_to_terminal, to_terminal  # noqa: PLC0415 - brings rich

        report = analysis.report
        is_static = not report.gauges and not report.events
        if report.verdict is None and report.totals.profile is None and is_static:
            return _bytes(scan_to_terminal(report, width=terminal.width, color=terminal.color, all_rows=all_rows))
        return _bytes(to_terminal(report, width=terminal.width, color=terminal.color, all_rows=all_rows))
    return _bytes(form.load()(analysis.report))


def _bytes(rendered: bytes | str) -> bytes:
    return rendered if isinstance(rendered, bytes) else rendered.encode("utf-8", "replace")


def _save_unjudged(capture: Capture, planned: Sequence[tuple[str, Format]]) -> None:
    from whyheap.capture import save_capture  # noqa: PLC0415 - help does not need it

    if not (capture.profiles or capture.gauges or capture.scan or capture.events):
        return
    for path, form in planned:
        if form.kind is FormatKind.CAPTURE:
            write(path, save_capture(capture, __version__))
            if path != STDOUT:
                click.echo(f"whyheap: kept what was gathered in {path}", err=True)


def _exit_code(gathered: Gathered) -> int:
    for failure in gathered.failures:
        print_error(failure)
    return max((failure.exit_code for failure in gathered.failures), default=0)
