"""The pages of docs/ that the lab's recordings give: pattern-matrix.md and folklore.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from page_markdown import table
from whyheap.errors import TargetError
from whyheap.host.toolchains import SUPPORTED
from whyheap.lab import folklore_run, recording
from whyheap.lab.claims import Claim, Prediction, Values, claims, verdict
from whyheap.lab.functions import functions
from whyheap.lab.matrix import cell
from whyheap.lab.recording import Numbers, Recording
from whyheap.patterns.catalogue import PATTERNS
from whyheap.patterns.pattern import Pattern

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "tests" / "recorded"
_MINOR = {version: version.rsplit(".", 1)[0] for version in SUPPORTED}
_MANY = 10


def matrix_page(note: str) -> str:
    """Return docs/pattern-matrix.md."""
    recorded = {one.slug: _recordings(one) for one in PATTERNS}
    every = [one for of in recorded.values() for one in of.values()]
    heads = [f"Go {version}" for version in SUPPORTED]
    rows = [[f"[{slug}](#{slug})", *_cells(slug, recorded[slug])] for slug in recorded]
    blocks = [
        "# Patterns on each Go version",
        note,
        (
            f"Each pattern's example, compiled and run on Go {', '.join(SUPPORTED)} ({_where(every)}) by "
            "`whyheap lab --go all --record tests/recorded`. What the examples are is in [patterns.md](patterns.md), "
            "how they are proven in [lab.md](lab.md)."
        ),
        (
            "A cell tells of the first Bad and the first Good function of an example that take equal arguments, else "
            "of the first of each: the compiler's word on the Bad one's line of the pattern (heap, or silent where it "
            "speaks of no escape), the allocator that machine code calls there, and allocations per call of both. A "
            "dash: the pattern is not found there on that version."
        ),
        table(["pattern", *heads], rows),
        f"## Time and collections on Go {SUPPORTED[-1]}",
        (
            "The same two functions, called in a row as lab.md says: nanoseconds per call, collections and pause per "
            "million calls. These depend on the machine and what else it does; compare within a row."
        ),
        table(["pattern", "Bad", "Good"], _collector_rows(recorded)),
        "## Allocations and bytes per call",
        "Of all functions of the examples, as testing.AllocsPerRun and testing.Benchmark count them.",
    ]
    for pattern in PATTERNS:
        blocks += [f"### {pattern.slug}", table(["function", *heads], _function_rows(pattern, recorded[pattern.slug]))]
    return "\n\n".join(blocks) + "\n"


def _recordings(pattern: Pattern) -> dict[str, Recording]:
    """Return a pattern's recordings by version; those that are missing are left out, for the tests to name."""
    found = {}
    for version in SUPPORTED:
        try:
            found[version] = recording.load(RECORDED / version, pattern.slug)
        except TargetError:
            continue
    return found


def _cells(slug: str, recorded: Mapping[str, Recording]) -> Iterator[str]:
    pattern = next(one for one in PATTERNS if one.slug == slug)
    for version in SUPPORTED:
        one = recorded.get(version)
        if one is None:
            yield "not recorded"
            continue
        of = cell(pattern, one)
        call = f"`{of.call}`" if of.call else ""
        yield "<br>".join(part for part in (of.verdict or "-", call, of.allocations.replace("->", "→")) if part)


def _collector_rows(recorded: Mapping[str, Mapping[str, Recording]]) -> Iterator[list[str]]:
    for pattern in PATTERNS:
        newest = recorded[pattern.slug].get(SUPPORTED[-1])
        if newest is not None:
            of = cell(pattern, newest)
            yield [pattern.slug, *(_collector(one) for one in (of.bad, of.good))]


def _collector(numbers: Numbers | None) -> str:
    if numbers is None or not numbers.runs:
        return "-"
    millions = numbers.runs / 1e6
    pause_ms = numbers.gc_pause_ns / 1e6 / millions
    return f"{numbers.ns_per_op:,.0f} ns, {numbers.gc_cycles / millions:,.0f} collections, {pause_ms:,.1f} ms"


def _function_rows(pattern: Pattern, recorded: Mapping[str, Recording]) -> Iterator[list[str]]:
    numbers = {version: {one.name: one for one in of.functions} for version, of in recorded.items()}
    for function in functions(pattern.example):
        row = [numbers.get(version, {}).get(function.name) for version in SUPPORTED]
        yield [f"`{function.name}`", *(_figures(one) for one in row)]


def _figures(numbers: Numbers | None) -> str:
    if numbers is None:
        return "-"
    if numbers.unmeasured or numbers.error:
        return "not run"
    return f"{numbers.allocs_per_op:g} / {numbers.bytes_per_op:,} B"


def folklore_page(note: str) -> str:
    """Return docs/folklore.md."""
    recorded = [folklore_run.load(RECORDED / version) for version in SUPPORTED]
    none = folklore_run.Measured()
    measured = {one.slug: [of.claims.get(one.slug, none).values for of in recorded] for one in claims()}
    rows = [[f"[{_text(one.claim)}](#{one.slug})", f"{verdict(one, measured[one.slug])}"] for one in claims()]
    blocks = [
        "# Popular claims, measured",
        note,
        (
            f"What is said about Go's memory, each claim as a program. Measured on Go {', '.join(SUPPORTED)} "
            f"({_where(recorded)}) by `whyheap lab folklore --go all --record tests/recorded`; `whyheap lab folklore` "
            "does it again on your own Go."
        ),
        (
            "Each program declares what the claim predicts. A claim is true when all its predictions hold on all "
            "versions, false when none holds on any, and half true else. Nobody has written a verdict down."
        ),
        table(["claim", "verdict"], rows),
    ]
    for one in claims():
        blocks += list(_claim(one, measured[one.slug], [of.claims for of in recorded]))
    return "\n\n".join(blocks) + "\n"


def _claim(
    claim: Claim, measured: Sequence[Values], recorded: Sequence[Mapping[str, folklore_run.Measured]]
) -> Iterator[str]:
    yield f"## {claim.slug}"
    yield f"**Claim:** {_text(claim.claim)}"
    yield f"**Verdict:** {verdict(claim, measured)}. {_text(claim.truth)}"
    rows = [[_predicted(one), *(_answer(one, values) for values in measured)] for one in claim.predictions]
    rows += [[f"besides: {_text(words)}", *(_value(of.get(name)) for of in measured)] for name, words in claim.shows]
    yield table(["predicted", *(f"Go {_MINOR[version]}" for version in SUPPORTED)], rows)
    gaps = {one[claim.slug].gap for one in recorded if claim.slug in one and one[claim.slug].gap}
    for gap in sorted(gaps):
        yield f"Not measured everywhere: {_text(gap)}."
    place = f"src/whyheap/lab/folklore/{claim.file}"
    yield f"[Its program](../{place})"


def _predicted(prediction: Prediction) -> str:
    relation = prediction.relation.replace("<", "\\<").replace(">", "\\>")
    return f"{_text(prediction.words)}: `{prediction.name}` {relation} `{prediction.other}`"


def _answer(prediction: Prediction, values: Values) -> str:
    """Print what was measured, with a mark for a prediction that holds or does not."""
    held = prediction.holds(values)
    if held is None:
        return "-"
    left = _value(values.get(prediction.name))
    right = f" against {_value(values[prediction.other])}" if prediction.other in values else ""
    return f"{left}{right}, {'holds' if held else 'no'}"


def _value(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) or value > _MANY else f"{value:.2f}"


def _where(recorded: Sequence[Recording | folklore_run.FolkloreRecording]) -> str:
    """Return platforms and dates of recordings."""
    platforms = sorted({one.platform for one in recorded if one.platform})
    dates = sorted({one.date for one in recorded if one.date})
    return ", ".join([*platforms, *dates])


def _text(text: str) -> str:
    """Escape what Markdown would take for markup."""
    return re.sub(r"([\\*_<\[\]`])", r"\\\1", text)
