"""THE table of formats: names, file suffixes and renderers. Who adds an output adds one row here."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from whyheap.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from whyheap.model.report import Report
    from whyheap.model.violation import GateResult


class FormatKind(StrEnum):
    """What a renderer takes: a `Report`, a `GateResult`, a `HeapProfile`, or the `Capture` behind the report."""

    REPORT = "report"
    GATE = "gate"
    PROFILE = "profile"
    CAPTURE = "capture"


@dataclass(frozen=True, slots=True)
class Format:
    """One output. `renderer` is "module:function", imported when first used; "" = not rendered here (captures).

    `gate` is the renderer of a `GateResult`, "" = none; it may be the same function. `rest` says what an output leaves
    out: see `left_out`.
    """

    name: str
    suffixes: tuple[str, ...]
    kind: FormatKind
    renderer: str
    is_binary: bool
    what: str
    aliases: tuple[str, ...] = ()
    gate: str = ""
    rest: str = ""

    def takes(self, kind: FormatKind) -> bool:
        """Whether this is a form of what `kind` names."""
        return bool(self.gate) if kind is FormatKind.GATE else self.kind is kind

    def load(self, kind: FormatKind | None = None) -> Callable[..., Any]:
        """Import the renderer: `to_x(report)` gives bytes or str; text also takes `width` and `color`."""
        return _imported(self.gate if kind is FormatKind.GATE else self.renderer)

    def left_out(self, result: Report | GateResult, output: bytes) -> str:
        """Say what the rendered `output` leaves out of `result`, where it cannot say so itself; "" when nothing."""
        return str(_imported(self.rest)(result, output)) if self.rest else ""


def _imported(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)  # type: ignore[no-any-return] # a renderer, by its table


FORMATS: Final = (
    Format(
        "text",
        (".txt", ".text"),
        FormatKind.REPORT,
        "whyheap.report.to_terminal:to_terminal",
        is_binary=False,
        what="what the terminal shows",
        aliases=("terminal",),
        gate="whyheap.report.gate_to_text:gate_to_text",
    ),
    Format(
        "json",
        (".json",),
        FormatKind.REPORT,
        "whyheap.report.to_json:to_json",
        is_binary=False,
        what="the report for programs",
        gate="whyheap.report.gate_to_json:gate_to_json",
    ),
    Format(
        "jsonl",
        (".jsonl", ".ndjson"),
        FormatKind.REPORT,
        "whyheap.report.to_json:to_jsonl",
        is_binary=False,
        what="one finding a line",
        aliases=("ndjson",),
    ),
    Format(
        "html",
        (".html", ".htm"),
        FormatKind.REPORT,
        "whyheap.report.to_html:to_html",
        is_binary=False,
        what="one page that works offline",
    ),
    Format(
        "sarif",
        (".sarif", ".sarif.json"),
        FormatKind.REPORT,
        "whyheap.report.to_sarif:to_sarif",
        is_binary=False,
        what="SARIF 2.1.0, for code scanning",
        gate="whyheap.report.to_sarif:to_sarif",
        rest="whyheap.report.to_sarif:left_out",
    ),
    Format(
        "github",
        (".github.txt",),
        FormatKind.REPORT,
        "whyheap.report.to_github:to_github",
        is_binary=False,
        what="annotations of a GitHub workflow",
        aliases=("github-actions",),
        gate="whyheap.report.to_github:to_github",
    ),
    Format(
        "markdown",
        (".md", ".markdown"),
        FormatKind.REPORT,
        "whyheap.report.to_markdown:to_markdown",
        is_binary=False,
        what="the summary of a CI step, or a comment",
        aliases=("md",),
        gate="whyheap.report.to_markdown:to_markdown",
    ),
    Format(
        "gitlab",
        ("gl-code-quality-report.json", ".gitlab.json", ".codequality.json"),
        FormatKind.REPORT,
        "whyheap.report.to_gitlab:to_gitlab",
        is_binary=False,
        what="GitLab's code quality report",
        aliases=("codequality", "codeclimate", "gitlab-codequality"),
        gate="whyheap.report.to_gitlab:to_gitlab",
        rest="whyheap.report.to_gitlab:left_out",
    ),
    Format(
        "junit",
        (".junit.xml", ".xml"),
        FormatKind.REPORT,
        "whyheap.report.to_junit:to_junit",
        is_binary=False,
        what="JUnit XML: a test per rule",
        aliases=("junit-xml",),
        gate="whyheap.report.to_junit:to_junit",
    ),
    Format(
        "pprof",
        (".pb.gz", ".pprof", ".pb"),
        FormatKind.PROFILE,
        "whyheap.report.to_pprof:to_pprof",
        is_binary=True,
        what="the heap profile for go tool pprof",
    ),
    Format(
        "folded",
        (".folded", ".collapsed"),
        FormatKind.PROFILE,
        "whyheap.report.to_folded:to_folded",
        is_binary=False,
        what="one stack a line, for flame graph tools",
    ),
    Format(
        "speedscope",
        (".speedscope.json", ".speedscope"),
        FormatKind.PROFILE,
        "whyheap.report.to_speedscope:to_speedscope",
        is_binary=False,
        what="the heap profile for speedscope.app",
    ),
    Format(
        "whyheap",
        (".whyheap",),
        FormatKind.CAPTURE,
        "",
        is_binary=True,
        what="all that was collected, for whyheap why FILE.whyheap",
        aliases=("capture",),
    ),
)

STDOUT: Final = "-"
"""The path that means standard output."""


def format_for(path: str | None, requested: str | None = None, *, of_gate: bool = False) -> Format:
    """Choose the format of an output: `requested` (`--format`) if given, else by the suffix of `path`, else text.

    `of_gate`: of those that a `GateResult` can be written in. Raises `UsageError` with the accepted names or suffixes,
    and the nearest one to what was typed.
    """
    rows = [row for row in FORMATS if row.gate] if of_gate else list(FORMATS)
    if requested is not None:
        return _by_name(requested, rows)
    if path is None or path == STDOUT:
        return rows[0]
    name = PurePath(path).name.casefold()
    matches = [(suffix, row) for row in rows for suffix in row.suffixes if name.endswith(suffix)]
    if matches:
        return max(matches, key=lambda match: len(match[0]))[1]
    suffixes = [row.suffixes[0] for row in rows]
    raise UsageError(
        f"{path!a} does not say its format: its name ends in none of {_listed(suffixes)}.",
        _nearest(PurePath(name).suffix, suffixes, "Did you mean {}?") or "Add such an ending, or give --format.",
    )


def _by_name(requested: str, rows: list[Format]) -> Format:
    wanted = requested.casefold().lstrip(".")
    for row in rows:
        if wanted == row.name or wanted in row.aliases:
            return row
    names = [name for row in rows for name in (row.name, *row.aliases)]
    raise UsageError(
        f"{requested!a} is not a format; there are {_listed([row.name for row in rows])}.",
        _nearest(wanted, names, "Did you mean --format {}?") or "Take one of these, or leave --format out for text.",
    )


def _nearest(typed: str, known: list[str], sentence: str) -> str:
    close = difflib.get_close_matches(typed, known, n=1, cutoff=0.7)
    return sentence.format(close[0]) if close else ""


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}"
