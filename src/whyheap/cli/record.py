"""`whyheap record`."""

from __future__ import annotations

import gc
from pathlib import Path

import click

from whyheap.cli.options import build_options, common_options, go_env, headers_of, seconds_of
from whyheap.errors import UsageError
from whyheap.units import format_bytes, format_count, format_duration, parse_bytes, parse_duration, parse_share

_CAPTURE = ".whyheap"
_LEAST_HIGH_SHARE = 0.5


@click.command()
@click.argument("targets", nargs=-1)
@click.option("-o", "--output", "output", metavar="FILE", help="The recording, FILE.whyheap. It must not be there yet.")
@click.option(
    "--for", "--seconds", "seconds", default="", metavar="N", help="How long to record [until the target ends]."
)
@click.option("--wait", default="30", metavar="N", help="How long to wait for a target that does not answer [30].")
@click.option("--interval", default="", metavar="N", help="Fixed pause between samples [adaptive, 10 s to 250 ms].")
@click.option("--max-size", default="256MiB", metavar="SIZE", help="Older samples are thinned to keep below [256MiB].")
@click.option("--max-age", default="24h", metavar="N", help="Samples older than this are given up [24h].")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Sent to the service. Repeatable.")
@click.option("--timeout", default="10", metavar="N", help="Longest wait for one answer of the service [10].")
@click.option("--ca-file", default="", metavar="FILE", help="Trust this certificate authority.")
@click.option("--insecure", is_flag=True, help="Do not check the service's certificate.")
@click.option(
    "--hold-at-limit",
    is_flag=True,
    help="ACTS on the target: freezes its group (cgroup v1) at the limit for a last census, then lets the kernel kill.",
)
@click.option(
    "--raise-limit",
    default="",
    metavar="SIZE",
    help="ACTS on the target: with --hold-at-limit, gives the group this limit instead of letting the kernel kill.",
)
@click.option(
    "--high", default="", metavar="SHARE", help="ACTS on the target: slows its group (cgroup v2) from there on."
)
@build_options
@common_options
def record(
    targets: tuple[str, ...],
    *,
    output: str | None,
    seconds: str,
    wait: str,
    interval: str,
    max_size: str,
    max_age: str,
    headers: tuple[str, ...],
    timeout: str,
    ca_file: str,
    insecure: bool,
    hold_at_limit: bool,
    raise_limit: str,
    high: str,
    go: str,
    tags: str,
    gcflags: str,
    goos: str,
    goarch: str,
    quiet: bool,
    verbose: bool,  # noqa: ARG001 - common options
    no_color: bool,
) -> int:
    """Keep what a service (http://HOST:PORT), a pod (k8s:...) or a process (pid:N) does to its memory, until it ends.

    Packages (./...) beside it are scanned meanwhile, so that the recording also says why its values are on the heap.
    The file can be read at any moment (whyheap why FILE.whyheap) and survives the target's death and the recorder's.
    Nothing of the target is stopped or changed unless an option says ACTS.
    """
    from whyheap.app.held_group import Acts  # noqa: PLC0415 - help needs none of these
    from whyheap.app.packages_ahead import PackagesRequest  # noqa: PLC0415 - as above
    from whyheap.app.record import RecordRequest  # noqa: PLC0415 - as above
    from whyheap.app.record import record as run  # noqa: PLC0415 - as above
    from whyheap.cli.live_view import LiveView  # noqa: PLC0415 - as above
    from whyheap.host.http import Access  # noqa: PLC0415 - as above

    if not output or not output.endswith(_CAPTURE):
        raise UsageError("record needs a file to keep what it sees", "Name it:  whyheap record TARGET -o FILE.whyheap")
    if raise_limit and not hold_at_limit:
        raise UsageError("--raise-limit says what --hold-at-limit does in the end", "Give both")
    unlimited = float("inf")
    request = RecordRequest(
        targets,
        Path(output),
        seconds_of(seconds, "--for") if seconds else unlimited,
        seconds_of(wait, "--wait"),
        seconds_of(interval, "--interval") if interval else None,
        parse_bytes(max_size),
        parse_duration(max_age),
        Acts(hold_at_limit, parse_bytes(raise_limit) if raise_limit else None, _high_share(high)),
        ahead=True,
        build=PackagesRequest((), str(Path.cwd()), go, go_env(goos, goarch), tags, gcflags),
        access=Access(headers_of(headers), seconds_of(timeout, "--timeout"), ca_file=ca_file, insecure=insecure),
    )
    gc.enable()  # other commands do without, as they answer once; this may run for weeks
    view = LiveView(output, quiet=quiet, no_color=no_color)
    try:
        recording = run(request, on_sample=view.show, on_profile=view.take_profile, announce=view.note)
    except BaseException:
        view.end()
        if view.samples:
            view.note(f"kept {format_count(view.samples)} samples in {output}; see: whyheap why {output}")
        raise
    view.end()
    restarts = f" over {recording.restarts} restarts" if recording.restarts else ""
    view.note(
        f"kept {_several(recording.samples, 'sample')}, {_several(recording.profiles, 'profile')} of "
        f"{format_duration(recording.seconds)}{restarts} in {output} ({format_bytes(Path(output).stat().st_size)}); "
        f"ended: {recording.ending}; see: whyheap why {output}"
    )
    return 0


def _several(count: int, what: str) -> str:
    return f"{format_count(count)} {what}{'' if count == 1 else 's'}"


def _high_share(text: str) -> float | None:
    """Read --high: below half of the limit a group would hardly run any more."""
    if not text:
        return None
    share = parse_share(text)
    if share < _LEAST_HIGH_SHARE:
        raise UsageError(
            f"--high {text} would slow the group down to a halt", "Write a share of half the limit or more"
        )
    return share
