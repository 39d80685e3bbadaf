"""`whyheap lab`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from whyheap.cli.options import common_options
from whyheap.cli.output import Progress, write_stdout
from whyheap.errors import UsageError

if TYPE_CHECKING:
    from whyheap.lab.run import Proof

_FOLKLORE = "folklore"
_CAUSES = "causes"
_FAILED = 1


@click.command()
@click.argument("slugs", nargs=-1, metavar="[SLUG...] | folklore [CLAIM...] | causes [CAUSE...]")
@click.option("--go", "go", metavar="VERSIONS", default="", help="Go versions or paths: 1.22,1.27, or all [your go].")
@click.option(
    "--record",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    metavar="DIR",
    help="Keep the compiler's words and the measurements, in DIR/VERSION.",
)
@click.option("--runs", type=click.IntRange(1, 100), default=1, help="Of causes: how often each program is run [1].")
@click.option("--jobs", type=click.IntRange(1, 16), default=3, help="Of causes: how many programs run at once [3].")
@click.option(
    "--healthy",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=None,
    metavar="DIR",
    help="Of causes: programs of your own that must get no cause, DIR/NAME/main.go.",
)
@click.option("--machine", is_flag=True, help="Of causes: in a small qemu machine with cgroup v2 (slow).")
@click.option("--format", "format_", metavar="FORMAT", default="text", help="text, or json: the recordings.")
@common_options
def lab(
    slugs: tuple[str, ...],
    *,
    go: str,
    record: Path | None,
    runs: int,
    jobs: int,
    healthy: Path | None,
    machine: bool,
    format_: str,
    quiet: bool,
    verbose: bool,
    no_color: bool,  # noqa: ARG001 - common options
) -> int:
    """Prove the catalogue on real compilers: compile each pattern's example, check what it promises, measure it.

    SLUGs are patterns; all when none is named. `whyheap lab folklore` does the same to popular claims about Go's
    memory; `whyheap lab causes` runs programs out of memory, under a real limit where one can be had (root), records
    them and demands the right verdict. Versions that are not here are fetched.
    """
    if format_ not in {"text", "json"}:
        raise UsageError(f"--format {format_}: the lab writes text or json", "Leave it out, or write --format json")
    progress = Progress(quiet=quiet)
    if slugs[:1] == (_FOLKLORE,):
        from whyheap.cli.lab_folklore import run_folklore  # noqa: PLC0415 - help needs none of it

        return run_folklore(slugs[1:], go, record, progress, as_json=format_ == "json")
    if slugs[:1] == (_CAUSES,):
        from whyheap.app.lab_causes import CausesRequest  # noqa: PLC0415 - as above
        from whyheap.cli.lab_causes import run_causes  # noqa: PLC0415 - as above

        request = CausesRequest(slugs[1:], go, runs, jobs, healthy, record, machine)
        return run_causes(request, progress, as_json=format_ == "json", verbose=verbose)
    from whyheap.app.lab import LabRequest, prove_patterns  # noqa: PLC0415 - help needs none of it

    proofs: list[Proof] = []
    try:
        for proof in prove_patterns(LabRequest(slugs, go, record), progress, progress.note):
            proofs.append(proof)
            progress.clear()
            if format_ == "text":
                _print(proof, proofs, verbose=verbose)
    finally:
        progress.clear()
    if format_ == "json":
        import msgspec  # noqa: PLC0415 - help needs none of it

        write_stdout(msgspec.json.encode([proof.recording for proof in proofs]) + b"\n")
    failed = [proof for proof in proofs if proof.failures]
    if format_ == "text":
        _sum_up(proofs, failed)
    return _FAILED if failed else 0


def _print(proof: Proof, proofs: Sequence[Proof], *, verbose: bool) -> None:
    """Print one proof, below a heading for each Go version."""
    from whyheap.lab.matrix import cell  # noqa: PLC0415 - help needs none of it
    from whyheap.patterns.catalogue import get  # noqa: PLC0415 - as above

    recording = proof.recording
    if len(proofs) == 1 or proofs[-2].recording.go != recording.go:
        head = "allocations per call, Bad -> Good"
        click.echo(f"\n Go {recording.go:<26} {'verdict':<9} {'call':<26} {head}")
    of = cell(get(recording.pattern), recording)
    mark = "FAIL" if proof.failures else "ok"
    click.echo(f" {mark:<5} {recording.pattern:<23} {of.verdict or '-':<9} {of.call or '-':<26} {of.allocations}")
    for failure in proof.failures:
        click.echo(f"       {recording.pattern}/{failure}")
    for one in recording.functions if verbose else ():
        note = one.error or one.unmeasured
        figures = f"{one.allocs_per_op:g} allocs, {one.bytes_per_op} B, {one.ns_per_op:,.0f} ns"
        collector = f"{one.gc_cycles} collections, {one.gc_pause_ns / 1000:,.0f} us of pause in {one.runs:,} calls"
        click.echo(f"         {one.name:<24} {note or f'{figures}; {collector}'}")


def _sum_up(proofs: Sequence[Proof], failed: Sequence[Proof]) -> None:
    releases = list(dict.fromkeys(proof.recording.go for proof in proofs))
    patterns = {proof.recording.pattern for proof in proofs}
    wants = sum(len(proof.failures) for proof in failed)
    said = f"{wants} do not hold, in {len(failed)} of {len(proofs)} proofs" if failed else "every want holds"
    click.echo(f"\n {said}: {len(patterns)} patterns on Go {', '.join(releases)}")
