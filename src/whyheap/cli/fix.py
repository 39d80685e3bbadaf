"""`whyheap fix`."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from whyheap.cli.main import print_error
from whyheap.cli.options import build_options, common_options, go_env, seconds_of
from whyheap.cli.output import Progress, Terminal
from whyheap.cli.own_forms import plan_forms, write_forms
from whyheap.errors import UsageError
from whyheap.report.formats import STDOUT

if TYPE_CHECKING:
    from whyheap.app.fix import Fixes, FixRequest

_PLACE = re.compile(r"^(.+\.go):(\d+)(?::\d+)?$")
_FORMS = {"text": (".txt",), "json": (".json",), "diff": (".diff", ".patch")}
_ID = re.compile(r"^[0-9a-f]{12}$")


@click.command()
@click.argument("targets", nargs=-1, metavar="[PACKAGES | FILE:LINE | ID]...")
@click.option("--pattern", "slug", default="", metavar="SLUG", help="Only this pattern (see whyheap patterns).")
@click.option("--write", "apply", is_flag=True, help="Write the proven edits into the files.")
@click.option("--unmeasured", is_flag=True, help="With --write: also edits whose saving nothing measured.")
@click.option("--force", is_flag=True, help="With --write: also files with changes that are not committed.")
@click.option("--no-tests", is_flag=True, help="Do not run the packages' tests: proofs are the compiler's alone.")
@click.option("--test-timeout", default="5m", metavar="N", help="How long the tests of one package may take [5m].")
@click.option("--format", "format_", type=click.Choice(tuple(_FORMS)), help="Form of standard output, or of -o [text].")
@click.option(
    "-o", "--output", "outputs", multiple=True, metavar="FILE", help="Also into a file, by suffix. Repeatable."
)
@click.option("--all", "all_rows", is_flag=True, help="Also what was refuted, and each finding without an edit.")
@build_options
@common_options
def fix(
    targets: tuple[str, ...],
    *,
    slug: str,
    apply: bool,
    unmeasured: bool,
    force: bool,
    no_tests: bool,
    test_timeout: str,
    format_: str | None,
    outputs: tuple[str, ...],
    all_rows: bool,
    go: str,
    tags: str,
    gcflags: str,
    goos: str,
    goarch: str,
    quiet: bool,
    verbose: bool,
    no_color: bool,
) -> int:
    """Propose edits that take values off the heap, each proven: it builds, go vet and the tests pass, it saves.

    Targets are packages, lines or ids of findings; ./... when none is named. Tests are run twice per package, without
    and with the edits. Nothing is written without --write.
    """
    from whyheap.app.fix import fix as run_fix  # noqa: PLC0415 - help needs none of these
    from whyheap.app.write_fixes import write_fixes  # noqa: PLC0415 - as above
    from whyheap.host.go import find_go  # noqa: PLC0415 - as above

    if (force or unmeasured) and not apply:
        raise UsageError(f"{'--force' if force else '--unmeasured'} is for --write", "Add --write, or leave it out")
    planned = plan_forms(outputs, format_, _FORMS)
    progress = Progress(quiet=quiet)
    terminal = Terminal.detect(no_color=no_color)
    request = _request(
        targets, slug, tags, gcflags, no_tests=no_tests, test_timeout=test_timeout, unmeasured=unmeasured
    )
    tool = find_go(go, go_env(goos, goarch))
    try:
        fixes = run_fix(tool, request, progress)
    finally:
        progress.clear()
    named = bool(request.lines or request.ids)
    write_forms(planned, partial(_rendered, fixes, terminal, all_rows=all_rows, named=named))
    if apply and fixes.files:
        write_fixes(fixes.files, force=force)
        count = sum(len(one.edits) for one in fixes.files)
        edits, files = ("s" if number != 1 else "" for number in (count, len(fixes.files)))
        progress.note(f"{count} edit{edits} written to {len(fixes.files)} file{files}")
    for note in fixes.notes:
        progress.note(note)
    if verbose:
        progress.note(f"compiler: {tool.command} list -export, go vet and go test through -overlay")
    if fixes.failure is not None:
        print_error(fixes.failure)
        return fixes.failure.exit_code
    return 0


def _request(
    targets: tuple[str, ...], slug: str, tags: str, gcflags: str, *, no_tests: bool, test_timeout: str, unmeasured: bool
) -> FixRequest:
    from whyheap.app.explain import explain_targets, find_file  # noqa: PLC0415 - help needs none of these
    from whyheap.app.fix import FixRequest  # noqa: PLC0415 - as above
    from whyheap.collect.compiler import ScanOptions  # noqa: PLC0415 - as above
    from whyheap.model.edit import Standing  # noqa: PLC0415 - as above
    from whyheap.patterns.catalogue import get  # noqa: PLC0415 - as above
    from whyheap.proof.prove import ProofOptions  # noqa: PLC0415 - as above

    folder = Path.cwd()
    lines: list[tuple[str, int]] = []
    ids: list[str] = []
    packages: list[str] = []
    for target in targets:
        place = _PLACE.match(target)
        if place is not None:
            file = find_file(place[1], folder)
            lines.append((str(file), int(place[2])))
            packages += explain_targets(place[1], (), folder)
        elif _ID.match(target):
            ids.append(target)
        elif "://" in target or target.startswith(("pid:", "k8s:")):
            raise UsageError(
                f"{target} is no package, line or id of a finding", "What it measures: whyheap why " + target
            )
        elif target.endswith(".go"):
            raise UsageError(f"{target} names a file without a line", f"Write {target}:LINE, or name its package")
        else:
            packages.append(target)
    if slug:
        get(slug)
    standings = {Standing.PROVEN, Standing.UNMEASURED} if unmeasured else {Standing.PROVEN}
    return FixRequest(
        ScanOptions(folder, tuple(dict.fromkeys(packages)) or ("./...",), tags, gcflags),
        tuple(lines),
        tuple(ids),
        slug,
        ProofOptions(with_tests=not no_tests, test_seconds=seconds_of(test_timeout, "--test-timeout")),
        frozenset(standings),
    )


def _rendered(fixes: Fixes, terminal: Terminal, format_: str, path: str, *, all_rows: bool, named: bool) -> bytes:
    if format_ == "json":
        from whyheap.report.fix_json import fixes_to_json  # noqa: PLC0415 - when asked for

        return fixes_to_json(fixes.report, fixes.edits, fixes.refused)
    if format_ == "diff":
        from whyheap.proof.prove import unified  # noqa: PLC0415 - when asked for

        return "".join(unified(one) for one in fixes.files).encode("utf-8", "surrogateescape")
    from whyheap.report.terminal_fix import fixes_to_terminal  # noqa: PLC0415 - brings rich

    return fixes_to_terminal(
        fixes.edits,
        fixes.refused,
        fixes.findings,
        title=fixes.report.title,
        go=fixes.report.go,
        width=terminal.width,
        color=terminal.color and path == STDOUT,
        all_rows=all_rows,
        named=named,
    ).encode("utf-8", "replace")
