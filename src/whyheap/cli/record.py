"""`whyheap record`."""

from __future__ import annotations

import threading
from pathlib import Path

import click

from whyheap.cli.options import common_options, headers_of, seconds_of
from whyheap.cli.output import Progress
from whyheap.errors import UsageError
from whyheap.units import format_bytes, format_count, format_duration, parse_bytes, parse_share

_CAPTURE = ".whyheap"


@click.command()
@click.argument("targets", nargs=-1)
@click.option("-o", "--output", "output", metavar="FILE", help="The recording, FILE.whyheap. It must not be there yet.")
@click.option("--for", "seconds", default="", metavar="N", help="How long to record [until the target ends].")
@click.option("--wait", default="30", metavar="N", help="How long to wait for a target that does not answer [30].")
@click.option("--interval", default="", metavar="N", help="Fixed pause between samples [adaptive, 10 s to 250 ms].")
@click.option("--max-size", default="256MiB", metavar="SIZE", help="Older samples are thinned to keep below [256MiB].")
@click.option("--max-age", default="", metavar="N", help="Samples older than this are given up [never].")
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
    "--high", default="", metavar="SHARE", help="ACTS on the target: slows its group (cgroup v2) from there on."
)
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
    high: str,
    quiet: bool,
    verbose: bool,  # noqa: ARG001 - common options
    no_color: bool,
) -> int:
    """Keep what a service (http://HOST:PORT) or a process (pid:N) does to its memory, until it ends.

    The file can be read at any moment (whyheap why FILE.whyheap) and survives the target's death and the recorder's.
    Nothing of the target is stopped or changed unless an option says ACTS.
    """
    from whyheap.app.record import RecordRequest  # noqa: PLC0415 - help needs none of these
    from whyheap.app.record import record as run  # noqa: PLC0415 - as above
    from whyheap.cli.live_view import LiveView  # noqa: PLC0415 - as above
    from whyheap.host.http import Access  # noqa: PLC0415 - as above

    if not output or not output.endswith(_CAPTURE):
        raise UsageError("record needs a file to keep what it sees", "Name it:  whyheap record TARGET -o FILE.whyheap")
    progress = Progress(quiet=quiet)
    unlimited = float("inf")
    request = RecordRequest(
        targets,
        Path(output),
        seconds_of(seconds, "--for") if seconds else unlimited,
        seconds_of(wait, "--wait"),
        seconds_of(interval, "--interval") if interval else None,
        parse_bytes(max_size),
        seconds_of(max_age, "--max-age") if max_age else unlimited,
        hold_at_limit,
        parse_share(high) if high else None,
        Access(headers_of(headers), seconds_of(timeout, "--timeout"), ca_file=ca_file, insecure=insecure),
    )
    view = LiveView(output, quiet=quiet, no_color=no_color)
    stop = threading.Event()
    try:
        recording = run(request, stop=stop, on_sample=view.show, announce=progress.note)
    except BaseException:
        view.end()
        if view.samples:
            progress.note(f"kept {format_count(view.samples)} samples in {output}:  whyheap why {output}")
        raise
    view.end()
    size = format_bytes(Path(output).stat().st_size)
    restarts = f", {recording.restarts} restarts" if recording.restarts else ""
    progress.note(
        f"kept {format_count(recording.samples)} samples and {recording.profiles} profiles of "
        f"{format_duration(recording.seconds)}{restarts} in {output} ({size})"
    )
    for event in recording.events[-3:]:
        progress.note(event.text)
    progress.note(f"{recording.ending or 'ended'}. See:  whyheap why {output}")
    return 0
