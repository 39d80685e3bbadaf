"""`whyheap scan`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import click

from whyheap.cli.main import print_error
from whyheap.cli.options import binary_option, build_options, go_env, pattern_of, report_options
from whyheap.cli.output import Progress, Terminal, plan, write, write_all, write_stdout
from whyheap.cli.rules import report_problems, rules_here, rules_option
from whyheap.cli.scan_code import check_table, write_bounds, write_functions, write_package_calls, write_program_calls
from whyheap.errors import TargetError, UsageError
from whyheap.report.formats import Format, FormatKind

if TYPE_CHECKING:
    from whyheap.collect.compiler import ScanOptions
    from whyheap.host.go import GoTool
    from whyheap.model.report import Report


@click.command()
@click.argument("packages", nargs=-1)
@click.option("--facts", is_flag=True, help="All facts of the compiler, one JSON object a line.")
@click.option("--roots", is_flag=True, help="Where one change takes most values off the heap.")
@click.option("--calls", is_flag=True, help="All calls of the allocator in the machine code, one JSON object a line.")
@click.option(
    "--functions", is_flag=True, help="Which functions allocate each time they run to a return, callees included."
)
@click.option("--bounds", is_flag=True, help="The bounds checks that the compiler kept, and the risks they confirm.")
@binary_option
@click.option("--tests", is_flag=True, help="Also the packages' tests.")
@rules_option
@build_options
@report_options
def scan(
    packages: tuple[str, ...],
    *,
    facts: bool,
    roots: bool,
    calls: bool,
    functions: bool,
    bounds: bool,
    binary: Path | None,
    tests: bool,
    rules: tuple[str, ...],
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
    """Say which lines allocate on the heap, and why: from the compiler's own decisions, without running anything.

    PACKAGES are as for go build; ./... when none is named. The second scan of the same code reads only what changed.
    """
    from whyheap.app.scan import Answers, ScanRequest  # noqa: PLC0415 - help needs none of these
    from whyheap.collect.compiler import ScanOptions, compile_packages  # noqa: PLC0415 - as above
    from whyheap.host.go import find_go  # noqa: PLC0415 - as above

    options = ScanOptions(Path.cwd(), packages or ("./...",), tags, gcflags, tests=tests)
    progress = Progress(quiet=quiet)
    if facts:
        reports = (("--calls", calls), ("--functions", functions), ("--bounds", bounds), ("--roots", roots))
        check_table("--facts", None, ("jsonl",), (*reports, ("--binary", binary is not None)))
        _check_facts(format_, outputs, focus, redact=redact)
        return _write_facts(find_go(go, go_env(goos, goarch)), options, outputs, progress)
    if calls or functions or bounds:
        option = "--calls" if calls else "--functions" if functions else "--bounds"
        formats = ("jsonl",) if calls else ("text", "jsonl")
        others = (
            ("--functions", calls and functions),
            ("--bounds", (calls or functions) and bounds),
            ("--binary", bounds and binary is not None),
            ("--roots", roots),
            ("--focus", bool(focus)),
            ("--redact", redact),
        )
        check_table(option, format_, formats, others, outputs)
        if calls and binary is not None:
            return write_program_calls(binary, outputs)
        compiled = compile_packages(find_go(go, go_env(goos, goarch)), options, progress)
        progress.clear()
        if calls:
            return max(write_package_calls(compiled, outputs), _exit_code(compiled.failure))
        terminal = Terminal.detect(no_color=no_color)
        if bounds:
            code = write_bounds(compiled, outputs, format_, terminal, progress, all_rows=all_rows)
            return max(code, _exit_code(compiled.failure))
        code = write_functions(compiled, binary, outputs, format_, terminal, progress, all_rows=all_rows)
        return max(code, _exit_code(compiled.failure))
    planned = plan(outputs, format_, (FormatKind.REPORT,), redact=redact)
    terminal = Terminal.detect(no_color=no_color)
    own_rules = rules_here(rules)
    request = ScanRequest(options, pattern_of(focus), keep_sources=not no_source, rules=own_rules, binary=binary)
    tool = find_go(go, go_env(goos, goarch))
    compiled = compile_packages(tool, options, _loading_ahead(progress))
    answers = Answers(compiled, request, progress)
    unknown = 0

    def answer(form: Format) -> bytes:
        nonlocal unknown
        rendering = repr((form.name, terminal, all_rows, redact, roots))
        answered = answers.answer(
            rendering,
            lambda report: _render(report, form, terminal, all_rows=all_rows, redact=redact, roots=roots),
        )
        unknown = answered.unknown
        progress.clear()
        if answered.left_out:
            progress.note(f"{form.name}: {answered.left_out}")
        return answered.output

    write_all(planned, answer)
    _note_unknown(unknown, progress)
    if verbose:
        progress.note(f"compiler: {tool.command} list -export -gcflags='-m=2 -json=0,DIR', in {options.folder}")
    return max(_exit_code(compiled.failure), report_problems(own_rules))


def _loading_ahead(progress: Progress) -> Callable[[str], None]:
    """Tell progress, and load what judging needs while go compiles; a warm scan, which needs none of it, tells none."""
    waiting = ["whyheap.app.scan_report", "whyheap.report.to_terminal"]

    def load(names: Sequence[str]) -> None:
        for name in names:
            import_module(name)

    def tell(text: str) -> None:
        progress(text)
        if waiting:
            Thread(target=load, args=(tuple(waiting),), daemon=True).start()
            waiting.clear()

    return tell


def _check_facts(format_: str | None, outputs: tuple[str, ...], focus: str, *, redact: bool) -> None:
    """Refuse what facts cannot be given: they are the compiler's, whole."""
    if format_ not in {None, "jsonl"} or len(outputs) > 1:
        raise UsageError(
            "--facts are written as jsonl, to one place", "whyheap scan --facts --format jsonl > facts.jsonl"
        )
    for option, is_given in (("--focus", bool(focus)), ("--redact", redact)):
        if is_given:
            raise UsageError(f"--facts are all that the compiler says: {option} is for reports", "Leave it out")


def _render(
    report: Report, form: Format, terminal: Terminal, *, all_rows: bool, redact: bool, roots: bool
) -> tuple[bytes, str]:
    """Return the output, and what it leaves out."""
    if redact:
        from whyheap.app.redact import redacted  # noqa: PLC0415 - when asked for

        report = redacted(report)
    if form.name == "text":
        from whyheap.report.to_terminal import roots_to_terminal, scan_to_terminal  # noqa: PLC0415 - brings rich

        show = roots_to_terminal if roots else scan_to_terminal
        text = show(report, width=terminal.width, color=terminal.color, all_rows=all_rows)
        return text.encode("utf-8", "replace"), ""
    rendered = form.load()(report)
    output = rendered if isinstance(rendered, bytes) else str(rendered).encode("utf-8", "replace")
    return output, form.left_out(report, output)


def _write_facts(tool: GoTool, options: ScanOptions, outputs: tuple[str, ...], progress: Progress) -> int:
    from whyheap.app.scan import count_unknown, fact_lines  # noqa: PLC0415 - help needs neither

    unknown = 0
    kept: list[bytes] = []
    to_file = bool(outputs) and outputs[0] != "-"
    lines, failure = fact_lines(tool, options, progress)
    for part in lines:
        progress.clear()
        unknown += count_unknown(part)
        if to_file:
            kept.append(part)
        else:
            write_stdout(part)
    if to_file:
        write(outputs[0], b"".join(kept))
    _note_unknown(unknown, progress)
    return _exit_code(failure)


def _exit_code(failure: TargetError | None) -> int:
    if failure is None:
        return 0
    print_error(failure)
    return failure.exit_code


def _note_unknown(unknown: int, progress: Progress) -> None:
    if unknown:
        progress.note(f"{unknown} lines of the compiler's output were not understood (kind unknown in --facts)")
