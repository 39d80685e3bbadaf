"""`whyheap lab folklore`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from whyheap.app.lab import measure_folklore
from whyheap.cli.output import Progress, write_stdout
from whyheap.lab.claims import claim_of, verdict

if TYPE_CHECKING:
    from whyheap.lab.claims import Claim, Prediction, Values
    from whyheap.lab.folklore_run import FolkloreRecording


def run_folklore(slugs: Sequence[str], go: str, record: Path | None, progress: Progress, *, as_json: bool) -> int:
    """Measure claims and print a table: verdict over all versions, then each prediction with what was measured."""
    recordings = []
    try:
        for recording in measure_folklore(slugs, go, record, progress, progress.note):
            recordings.append(recording)
            progress.clear()
    finally:
        progress.clear()
    if as_json:
        write_stdout(msgspec.json.encode(recordings) + b"\n")
        return 0
    releases = [one.go for one in recordings]
    click.echo(f" {'verdict':<13} {'claim':<27} " + " ".join(f"{release:>9}" for release in releases))
    for slug in recordings[0].claims:
        _print(claim_of(slug), recordings)
    return 0


def _print(claim: Claim, recordings: Sequence[FolkloreRecording]) -> None:
    values = [one.claims[claim.slug].values for one in recordings]
    click.echo(f"\n {verdict(claim, values):<13} {claim.slug}")
    for one in claim.predictions:
        wanted = f"{one.name} {one.relation} {one.other}"
        marks = {True: "", False: " *", None: ""}
        cells = [f"{_sides(one, of)}{marks[one.holds(of)]}" for of in values]
        click.echo(f"   {wanted:<39} " + " ".join(f"{cell:>9}" for cell in cells))
    for name, _ in claim.shows:
        click.echo(f"   {name:<39} " + " ".join(f"{measured(of.get(name)):>9}" for of in values))
    for recording in recordings:
        if recording.claims[claim.slug].gap:
            click.echo(f"   not measured on Go {recording.go}: {recording.claims[claim.slug].gap}")


def _sides(prediction: Prediction, values: Values) -> str:
    """Print the measured value, and the one that it is compared with when that is measured, too."""
    left = measured(values.get(prediction.name))
    return f"{left}/{measured(values[prediction.other])}" if prediction.other in values else left


def measured(value: float | None) -> str:
    """Print a measured value."""
    return "-" if value is None else f"{value:,.0f}" if value == int(value) or value > 10 else f"{value:.2f}"  # noqa: PLR2004 - digits that matter
