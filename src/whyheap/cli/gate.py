"""`whyheap gate`."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from whyheap.cli.main import print_error
from whyheap.cli.options import CONFIG_FILE, build_options, common_options, go_env
from whyheap.cli.output import Progress, Terminal, plan, write_gate
from whyheap.errors import UsageError
from whyheap.report.formats import FormatKind

if TYPE_CHECKING:
    from whyheap.app.gate_budgets import Budgets
    from whyheap.host.go import GoTool

_BASELINE = "whyheap.baseline"


@click.command()
@click.argument("packages", nargs=-1)
@click.option("--baseline", metavar="FILE", default=_BASELINE, show_default=True, help="The sites that are known.")
@click.option("--update", is_flag=True, help="Write the baseline of what is there now, and check nothing.")
@click.option("--since", metavar="GIT-REV", default="", help="Only what was added since a revision; no baseline.")
@click.option(
    "--baseline-go",
    metavar="PATH|VERSION",
    default="",
    help="The Go that the baseline is of, to tell what a new Go brings. [one that is here]",
)
@click.option(
    "--allow-unknown", is_flag=True, help="Pass over compiler output that was not understood, and undecided sites."
)
@click.option("--tests", is_flag=True, help="Also the packages' tests.")
@build_options
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Write the result; its suffix is its format, - is stdout. Repeatable.",
)
@click.option("--format", "format_", metavar="FORMAT", help="Format of stdout, or of one -o: text, json, ...")
@click.option("--no-source", is_flag=True, help="Neither show nor store source text.")
@common_options
def gate(
    packages: tuple[str, ...],
    *,
    baseline: str,
    update: bool,
    since: str,
    baseline_go: str,
    allow_unknown: bool,
    tests: bool,
    go: str,
    tags: str,
    gcflags: str,
    goos: str,
    goarch: str,
    outputs: tuple[str, ...],
    format_: str | None,
    no_source: bool,
    quiet: bool,
    verbose: bool,
    no_color: bool,
) -> int:
    """Fail when a change adds a way to the heap, breaks a budget, or a directive in the source.

    PACKAGES are as for go build; ./... when none is named. Exit code 1 with one line per violation, 0 when there is
    none, 3 when it could not be judged: a package does not build, or the compiler said what was not understood.
    """
    from whyheap.app.gate import GateRequest, run_gate, update_baseline  # noqa: PLC0415 - help needs none of these
    from whyheap.collect.compiler import ScanOptions  # noqa: PLC0415 - as above
    from whyheap.host.go import find_go  # noqa: PLC0415 - as above

    named = {name for name in ("baseline", "since") if _is_named(name)}
    if "since" in named and not since:
        raise UsageError("--since names no revision: its value is empty", "For example:  --since origin/main")
    if update and since:
        raise UsageError("--update writes a baseline, --since needs none", "Give one of them")
    planned = plan(outputs, format_, (FormatKind.GATE,), redact=False)
    env = go_env(goos, goarch)
    progress = Progress(quiet=quiet)
    request = GateRequest(
        ScanOptions(Path.cwd(), packages or ("./...",), tags, gcflags, tests=tests),
        Path(baseline),
        is_named="baseline" in named,
        since=since,
        baseline_go=_finder(baseline_go, env),
        budgets=_budgets(),
        allow_unknown=allow_unknown,
        keep_sources=not no_source,
    )
    tool = find_go(go, env)
    try:
        outcome = (update_baseline if update else run_gate)(tool, request, progress)
    finally:
        progress.clear()

    accept = "" if since else _accepting(packages, baseline, tags, gcflags, goos, goarch, tests=tests)
    write_gate(planned, outcome.result, progress, color=Terminal.detect(no_color=no_color).color, accept=accept)
    if verbose:
        progress.note(f"compiler: {tool.command} list -export -gcflags='-m=2 -json=0,DIR', in {request.options.folder}")
    if outcome.failure is not None:
        print_error(outcome.failure)
    return outcome.exit_code


def _is_named(option: str) -> bool:
    """Whether the command line or a configuration file gave an option."""
    return click.get_current_context().get_parameter_source(option) is not ParameterSource.DEFAULT


def _accepting(
    packages: tuple[str, ...], baseline: str, tags: str, gcflags: str, goos: str, goarch: str, *, tests: bool
) -> str:
    """Return the command that accepts what is there now: --update, with the options that say what is built."""
    given = (("baseline", baseline if baseline != _BASELINE else ""), ("tags", tags), ("gcflags", gcflags))
    valued = [(name, value) for name, value in (*given, ("goos", goos), ("goarch", goarch)) if value]
    options = [word for name, value in valued for word in (f"--{name}", value)]
    return shlex.join(["whyheap", "gate", "--update", *options, *(["--tests"] if tests else []), *packages])


def _finder(wanted: str, env: dict[str, str]) -> Callable[[str], GoTool | None]:
    """Return what finds the Go of a baseline: the one that was named, else one on this machine."""

    def find(version: str) -> GoTool | None:
        from whyheap.host.go import find_go  # noqa: PLC0415 - only when versions differ
        from whyheap.host.toolchains import find_here  # noqa: PLC0415 - as above

        if not wanted:
            return find_here(version, env)
        tool = find_go(wanted, env)
        said = tool.environment(Path.cwd()).GOVERSION
        if said.split(".")[:2] != version.split(".")[:2]:
            raise UsageError(f"--baseline-go {wanted} is {said}, and the baseline is of {version}")
        return tool

    return find


def _budgets() -> Budgets:
    from whyheap.app.gate_budgets import Budgets, load_budgets  # noqa: PLC0415 - help needs none of these

    named: Path | None = click.get_current_context().meta.get(CONFIG_FILE)
    file = named or Path("whyheap.toml")
    return load_budgets(file, is_named=named is not None) if file.is_file() else Budgets(file)
