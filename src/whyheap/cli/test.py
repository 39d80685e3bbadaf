"""`whyheap test`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from whyheap.cli.options import common_options, seconds_of
from whyheap.cli.output import Progress, Terminal, plan, write_gate
from whyheap.errors import UsageError
from whyheap.report.formats import FormatKind

if TYPE_CHECKING:
    from whyheap.model.violation import GateResult

_FLAGS = "whyheap.test.flags"
_FAILED = 3
_VIOLATED = 1


class _WithGoFlags(click.Command):
    """Keeps what stands after -- apart: those are go test's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[_FLAGS] = tuple(args[at + 1 :])
        try:
            return super().parse_args(ctx, args[:at])
        except click.NoSuchOption as error:
            raise UsageError(
                f"there is no option {error.option_name}",
                "Flags of go test stand after --:  whyheap test ./... -- -race",
            ) from error

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- FLAGS OF GO TEST]"]


@click.command(cls=_WithGoFlags)
@click.argument("packages", nargs=-1)
@click.option("--checkptr", is_flag=True, help="Also check unsafe pointer arithmetic, in all packages (-d=checkptr).")
@click.option(
    "--allow", default="", metavar="REGEX", help="Goroutines with such a function on their stack are no leak."
)
@click.option(
    "--wait", "wait", default="1s", show_default=True, metavar="TIME", help="How long goroutines may take to end."
)
@click.option("--timeout", default="", metavar="TIME", help="End a package's tests after this time, as for go test.")
@click.option("--go", "go", metavar="PATH|VERSION", default="", help="The go command to ask, or a version.")
@click.option("--tags", default="", metavar="TAGS", help="Build tags, as for go test.")
@click.option(
    "-o", "--output", "outputs", multiple=True, metavar="FILE", help="Write the result, by suffix. Repeatable."
)
@click.option("--format", "format_", metavar="FORMAT", help="Format of stdout, or of one -o.")
@click.option("--all", "all_rows", is_flag=True, help="All frames of long stacks.")
@click.option("--no-source", is_flag=True, help="Neither show nor store source text.")
@common_options
@click.pass_context
def test(
    ctx: click.Context,
    packages: tuple[str, ...],
    *,
    checkptr: bool,
    allow: str,
    wait: str,
    timeout: str,
    go: str,
    tags: str,
    outputs: tuple[str, ...],
    format_: str | None,
    all_rows: bool,
    no_source: bool,
    quiet: bool,
    verbose: bool,
    no_color: bool,
) -> int:
    """Run go test, and say which tests leave goroutines behind or allocate more than they may; sources stay untouched.

    PACKAGES are as for go test; ./... when none is named. What go test prints goes to standard error. The limit of a
    test or benchmark stands above it: //whyheap:limit allocs=0 bytes=1KiB
    """
    from whyheap.app.checked_tests import CheckRequest, check_tests  # noqa: PLC0415 - help needs none of these
    from whyheap.collect.go_test_flags import GoTestFlags  # noqa: PLC0415 - as above
    from whyheap.collect.go_test_run import GoTestOptions  # noqa: PLC0415 - as above
    from whyheap.host.go import find_go  # noqa: PLC0415 - as above

    planned = plan(outputs, format_, (FormatKind.GATE,), redact=False)
    behind = GoTestFlags.read(ctx.meta.get(_FLAGS, ())).first_word()
    if behind and not packages:
        raise UsageError(
            f"{behind} stands behind --, where only flags of go test are",
            f"Put packages first:  whyheap test {behind} --",
        )
    options = GoTestOptions(
        Path.cwd(),
        packages or ("./...",),
        ctx.meta.get(_FLAGS, ()),
        tags,
        _go_duration(timeout, "--timeout"),
        seconds_of(wait, "--wait"),
        checkptr,
    )
    request = CheckRequest(options, _allowed(allow), keep_sources=not no_source)
    progress = Progress(quiet=quiet)
    terminal = Terminal.detect(no_color=no_color)
    tool = find_go(go)

    def show(line: str) -> None:
        progress.clear()
        sys.stderr.flush()
        sys.stderr.buffer.write(f"{line}\n".encode("utf-8", "surrogateescape"))  # tests may print what is no text
        sys.stderr.buffer.flush()

    try:
        result = check_tests(tool, request, progress, show)
    finally:
        progress.clear()
    if verbose:
        progress.note(f"tests: {tool.command} test -overlay=... -count=1, in {options.folder}")
    write_gate(planned, result, progress, color=terminal.color, all_rows=all_rows)
    return _exit_code(result)


def _exit_code(result: GateResult) -> int:
    if result.failed or result.unknown:
        return _FAILED
    return _VIOLATED if result.violations else 0


def _go_duration(text: str, option: str) -> str:
    """Return a duration as go takes it, empty for none; 0 means no limit, as for go test."""
    return f"{seconds_of(text, option):g}s" if text else ""


def _allowed(pattern: str) -> re.Pattern[str] | None:
    if not pattern:
        return None
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UsageError(
            f"--allow {pattern}: {error}", "It takes a regular expression, such as  --allow 'Daemon$'"
        ) from error
