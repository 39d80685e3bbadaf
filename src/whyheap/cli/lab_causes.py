"""`whyheap lab causes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from whyheap.app.lab_causes import prove_causes
from whyheap.cli.output import Progress, write_stdout

if TYPE_CHECKING:
    from whyheap.app.lab_causes import CausesRequest, ScenarioResult

_FAILED = 1


def run_causes(request: CausesRequest, progress: Progress, *, as_json: bool, verbose: bool) -> int:
    """Run scenarios and print one line each, with the reason of each that does not hold; returns the exit code."""
    results: list[ScenarioResult] = []
    try:
        for result in prove_causes(request, progress, progress.note):
            results.append(result)
            progress.clear()
            if not as_json:
                _print(result, verbose=verbose)
    finally:
        progress.clear()
    failed = [result for result in results if result.failure]
    if as_json:
        write_stdout(msgspec.json.encode(results) + b"\n")
    else:
        _sum_up(results, failed)
    return _FAILED if failed else 0


def _print(result: ScenarioResult, *, verbose: bool) -> None:
    mark = "FAIL" if result.failure else "ok"
    how = f"{result.limit}, {result.ending}" if result.ending else result.limit
    click.echo(f" {mark:<5} {result.scenario:<42} Go {result.go:<8} {result.seconds:>5.1f} s  {how}")
    if result.failure:
        click.echo(f"       {result.failure}")
    if verbose or result.failure:
        click.echo(f"       {', '.join(result.causes) or 'no cause'}: {result.summary or '-'}")


def _sum_up(results: list[ScenarioResult], failed: list[ScenarioResult]) -> None:
    releases = ", ".join(dict.fromkeys(result.go for result in results))
    limits = ", ".join(sorted({result.limit for result in results if not result.failure}))
    all_hold = f"all {len(results)} runs hold" if len(results) > 1 else "the run holds"
    said = f"{len(failed)} of {len(results)} runs do not hold" if failed else all_hold
    programs = len({result.scenario for result in results})
    click.echo(f"\n {said}: {programs} program{'s' if programs > 1 else ''} on Go {releases}, under {limits or 'none'}")
