"""`whyheap diff` of git revisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from whyheap.cli.main import print_error

if TYPE_CHECKING:
    from whyheap.app.revision import RevisionPair
    from whyheap.cli.output import Progress, Terminal


@dataclass(frozen=True, slots=True)
class Build:
    """The go to ask, and the flags of the real build."""

    go: str
    env: Mapping[str, str]
    tags: str
    gcflags: str
    tests: bool


def diff_revisions_of(
    pair: RevisionPair,
    build: Build,
    bench: tuple[str, int, str] | None,
    terminal: Terminal,
    progress: Progress,
    *,
    all_rows: bool,
) -> tuple[Mapping[str, Callable[[], bytes]], int]:
    """Compare; returns what renders each format, and the exit code. `bench` is regex, rounds and benchtime."""
    from whyheap.app.revision_benchmarks import BenchmarkRequest  # noqa: PLC0415 - help needs none of these
    from whyheap.app.revision_diff import diff_revisions  # noqa: PLC0415 - as above
    from whyheap.collect.compiler import ScanOptions  # noqa: PLC0415 - as above
    from whyheap.host.go import find_go  # noqa: PLC0415 - as above

    request = BenchmarkRequest(*bench) if bench is not None else None
    options = ScanOptions(Path.cwd(), pair.patterns, build.tags, build.gcflags, tests=build.tests)
    try:
        found, failure = diff_revisions(pair, find_go(build.go, build.env), options, request, progress)
    finally:
        progress.clear()

    def as_text() -> bytes:
        from whyheap.report.terminal_revision_diff import revision_diff_to_terminal  # noqa: PLC0415 - brings rich

        text = revision_diff_to_terminal(found, width=terminal.width, color=terminal.color, all_rows=all_rows)
        return text.encode("utf-8", "replace")

    def as_json() -> bytes:
        from whyheap.report.revision_diff_json import revision_diff_to_json  # noqa: PLC0415 - when asked for

        return revision_diff_to_json(found)

    def as_markdown() -> bytes:
        from whyheap.report.revision_diff_markdown import revision_diff_to_markdown  # noqa: PLC0415 - when asked for

        return revision_diff_to_markdown(found)

    if failure is not None:
        print_error(failure)
    return {"text": as_text, "json": as_json, "markdown": as_markdown}, failure.exit_code if failure else 0
