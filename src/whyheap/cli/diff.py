"""`whyheap diff`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from whyheap.cli.main import print_error
from whyheap.cli.options import common_options, go_env, headers_of
from whyheap.cli.output import Progress, Terminal, write
from whyheap.errors import UsageError

if TYPE_CHECKING:
    from whyheap.app.revision import RevisionPair
    from whyheap.model.capture_diff import CaptureDiff

_TWO = 2
_FORMATS = ("text", "json", "markdown")


@click.command()
@click.argument("targets", nargs=-1)
@click.option(
    "--go", "versions", multiple=True, metavar="PATH|VERSION", help="Twice: old and new Go. Once: the Go for revisions."
)
@click.option("--bench", metavar="REGEX", default="", help="Also run these benchmarks of both revisions, in turns.")
@click.option("--rounds", default=8, show_default=True, metavar="N", help="How often to run each benchmark.")
@click.option("--benchtime", default="100ms", show_default=True, metavar="TIME", help="As for go test: 1s, 1000x.")
@click.option("--tests", is_flag=True, help="Also the packages' tests.")
@click.option("--tags", default="", metavar="TAGS", help="Build tags, as for go build.")
@click.option("--gcflags", default="", metavar="FLAGS", help="More compiler flags of the real build.")
@click.option("--goos", default="", metavar="OS", help="Target system, as GOOS.")
@click.option("--goarch", default="", metavar="ARCH", help="Target architecture, as GOARCH.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Sent to a service. Repeatable.")
@click.option(
    "-o", "--output", "outputs", multiple=True, metavar="FILE", help="Write it: .txt, .json, .md. Repeatable."
)
@click.option("--format", "format_", metavar="FORMAT", help="Format of stdout: text, json or markdown.")
@click.option("--all", "all_rows", is_flag=True, help="All lines, not only the first.")
@common_options
def diff(
    targets: tuple[str, ...],
    *,
    versions: tuple[str, ...],
    bench: str,
    rounds: int,
    benchtime: str,
    tests: bool,
    tags: str,
    gcflags: str,
    goos: str,
    goarch: str,
    headers: tuple[str, ...],
    outputs: tuple[str, ...],
    format_: str | None,
    all_rows: bool,
    quiet: bool,
    verbose: bool,
    no_color: bool,
) -> int:
    """Say what grew between two captures, profiles or services, what a change of the source or a Go upgrade changes.

    Which ways to the heap a change adds and removes:  diff main HEAD [PACKAGES], diff main...topic, or diff main for
    what is not committed yet.

    Which lines start or stop allocating with an upgrade:  diff --go 1.24 --go 1.27 [PACKAGES]. A heap profile or a
    service among TARGETS, built with the old version, tells how many bytes that is.
    """
    from whyheap.host.http import Access  # noqa: PLC0415 - help needs none of these

    form = _format(format_)
    forms = {output: form if output == "-" else _suffix(output) for output in outputs}
    progress = Progress(quiet=quiet)
    terminal = Terminal.detect(no_color=no_color)
    access = Access(headers_of(headers))
    pair = _revisions(targets, versions)
    if pair is not None:
        from whyheap.cli.diff_revisions import Build, diff_revisions_of  # noqa: PLC0415 - help needs none of these

        build = Build(next(iter(versions), ""), go_env(goos, goarch), tags, gcflags, tests=tests)
        asked = (bench, rounds, benchtime) if bench else None
        rendered, code = diff_revisions_of(pair, build, asked, terminal, progress, all_rows=all_rows)
        _write_forms(rendered, forms, form)
        return code
    _refuse_of_revisions(bench, (*forms.values(), form))
    if not versions and len(targets) == _TWO:
        from whyheap.app.capture_diff import diff_captures  # noqa: PLC0415 - help needs none of these

        try:
            grown = diff_captures(targets[0], targets[1], Path.cwd(), access, progress)
        finally:
            progress.clear()
        _write_capture_diff(grown, forms, form, terminal, all_rows=all_rows)
        return 0
    from whyheap.app.version_diff import diff_versions, split_targets  # noqa: PLC0415 - as above
    from whyheap.collect.compiler import ScanOptions  # noqa: PLC0415 - as above
    from whyheap.host.go import find_go  # noqa: PLC0415 - as above

    if len(versions) != _TWO:
        given = f"--go was given {len(versions)} times" if versions else f"{len(targets)} target(s) were named"
        raise UsageError(
            f"diff compares two captures, git revisions or versions of Go, and {given}",
            "For example:  whyheap diff old.whyheap new.whyheap  or  diff main HEAD  or  diff --go 1.24 --go 1.27",
        )
    packages, profile = split_targets(targets)
    tools = [find_go(version, go_env(goos, goarch)) for version in versions]
    options = ScanOptions(Path.cwd(), packages, tags, gcflags, tests=tests)
    try:
        found, failure = diff_versions(tools, options, profile, access, progress)
    finally:
        progress.clear()

    def as_text() -> bytes:
        from whyheap.report.terminal_version_diff import version_diff_to_terminal  # noqa: PLC0415 - brings rich

        text = version_diff_to_terminal(found, width=terminal.width, color=terminal.color, all_rows=all_rows)
        return text.encode("utf-8", "replace")

    def as_json() -> bytes:
        from whyheap.report.version_diff_json import version_diff_to_json  # noqa: PLC0415 - when asked for

        return version_diff_to_json(found)

    _write_forms({"text": as_text, "json": as_json}, forms, form)
    if verbose:
        for tool in tools:
            progress.note(f"compiler: {tool.command}")
    if failure is not None:
        print_error(failure)
        return failure.exit_code
    return 0


def _revisions(targets: Sequence[str], versions: Sequence[str]) -> RevisionPair | None:
    if len(versions) > 1:
        return None
    from whyheap.app.revision import revisions_of  # noqa: PLC0415 - help needs none of these

    return revisions_of(targets, Path.cwd())


def _refuse_of_revisions(bench: str, forms: Iterable[str]) -> None:
    """Refuse what only the comparison of git revisions has."""
    for option, is_given in (("--bench", bool(bench)), ("--format markdown", "markdown" in forms)):
        if is_given:
            raise UsageError(f"{option} is for git revisions", f"For example:  whyheap diff main HEAD {option}")


def _write_capture_diff(
    found: CaptureDiff, forms: Mapping[str, str], form: str, terminal: Terminal, *, all_rows: bool
) -> None:
    def as_text() -> bytes:
        from whyheap.report.terminal_capture_diff import capture_diff_to_terminal  # noqa: PLC0415 - brings rich

        text = capture_diff_to_terminal(found, width=terminal.width, color=terminal.color, all_rows=all_rows)
        return text.encode("utf-8", "replace")

    def as_json() -> bytes:
        from whyheap.report.capture_diff_json import capture_diff_to_json  # noqa: PLC0415 - when asked for

        return capture_diff_to_json(found)

    _write_forms({"text": as_text, "json": as_json}, forms, form)


def _write_forms(render: Mapping[str, Callable[[], bytes]], forms: Mapping[str, str], form: str) -> None:
    """Write standard output, unless -o - names it, and each file."""
    if "-" not in forms:
        write("-", render[form]())
    for output, wanted in forms.items():
        write(output, render[wanted]())


def _format(wanted: str | None) -> str:
    if wanted is None or wanted in _FORMATS:
        return wanted or "text"
    raise UsageError(f"{wanted!a} is not a format of diff; there are {', '.join(_FORMATS)}", "Write --format json")


def _suffix(output: str) -> str:
    for suffix, form in ((".json", "json"), (".txt", "text"), (".text", "text"), (".md", "markdown")):
        if output.casefold().endswith(suffix):
            return form
    raise UsageError(f"{output!a} does not say its format: its name ends in none of .txt, .json, .md", "Add the ending")
