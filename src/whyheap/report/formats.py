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


class FormatKind(StrEnum):
    """What a renderer takes: a whole `Report`, a `HeapProfile`, the `Capture` behind the report, or a `GateResult`."""

    REPORT = "report"
    PROFILE = "profile"
    CAPTURE = "capture"
    GATE = "gate"


@dataclass(frozen=True, slots=True)
class Format:
    """One output. `renderer` is "module:function", imported when first used; "" = not rendered here (captures)."""

    name: str
    suffixes: tuple[str, ...]
    kind: FormatKind
    renderer: str
    is_binary: bool
    what: str
    aliases: tuple[str, ...] = ()

    def load(self) -> Callable[..., Any]:
        """Import the renderer: `to_x(report)` gives bytes or str; text also takes `width` and `color`."""
        module, _, function = self.renderer.partition(":")
        return getattr(import_module(module), function)  # type: ignore[no-any-return]


FORMATS: Final = (
    Format(
        "text",
        (".txt", ".text"),
        FormatKind.REPORT,
        "whyheap.report.to_terminal:to_terminal",
        is_binary=False,
        what="what the terminal shows",
        aliases=("terminal",),
    ),
    Format(
        "json",
        (".json",),
        FormatKind.REPORT,
        "whyheap.report.to_json:to_json",
        is_binary=False,
        what="the report for programs",
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


def format_for(path: str | None, requested: str | None = None) -> Format:
    """Choose the format of an output: `requested` (`--format`) if given, else by the suffix of `path`, else text.

    Raises `UsageError` with the accepted names or suffixes, and the nearest one to what was typed.
    """
    if requested is not None:
        return _by_name(requested)
    if path is None or path == STDOUT:
        return FORMATS[0]
    name = PurePath(path).name.casefold()
    matches = [(suffix, row) for row in FORMATS for suffix in row.suffixes if name.endswith(suffix)]
    if matches:
        return max(matches, key=lambda match: len(match[0]))[1]
    suffixes = [row.suffixes[0] for row in FORMATS]
    raise UsageError(
        f"{path!a} does not say its format: its name ends in none of {_listed(suffixes)}.",
        _nearest(PurePath(name).suffix, suffixes, "Did you mean {}?") or "Add such an ending, or give --format.",
    )


def _by_name(requested: str) -> Format:
    wanted = requested.casefold().lstrip(".")
    for row in FORMATS:
        if wanted == row.name or wanted in row.aliases:
            return row
    names = [name for row in FORMATS for name in (row.name, *row.aliases)]
    raise UsageError(
        f"{requested!a} is not a format; there are {_listed([row.name for row in FORMATS])}.",
        _nearest(wanted, names, "Did you mean --format {}?"),
    )


def _nearest(typed: str, known: list[str], sentence: str) -> str:
    close = difflib.get_close_matches(typed, known, n=1, cutoff=0.5)
    return sentence.format(close[0]) if close else ""


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}"
