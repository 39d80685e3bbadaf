"""Options for a history from Prometheus: where it is, which moment it leads to, how far back, whose."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from whyheap.cli.options import headers_of, seconds_of
from whyheap.errors import UsageError

if TYPE_CHECKING:
    from whyheap.app.pod_target import HistoryOptions

F = TypeVar("F", bound=Callable[..., Any])


def history_options(function: F) -> F:
    """Add the options of a history."""
    for option in reversed(
        (
            click.option(
                "--prometheus", default="", metavar="URL", help="Read the memory history before a kill there."
            ),
            click.option(
                "--at", default="", metavar="TIME", help="The moment it leads to: 2026-05-01T03:12:00Z, 90m ago."
            ),
            click.option("--history", default="1h", metavar="N", help="How far back it goes [1h]."),
            click.option("--selector", default="", metavar="LABELS", help='Whose it is: job="shop", or a job\'s name.'),
            click.option(
                "--prometheus-header",
                "prometheus_headers",
                multiple=True,
                metavar="'NAME: VALUE'",
                help="Sent to Prometheus alone. Repeatable.",
            ),
        )
    ):
        function = option(function)
    return function


def history_of(
    url: str,
    at: str,
    seconds: str,
    selector: str,
    headers: Iterable[str],
    *,
    timeout_seconds: float = 30.0,
    ca_file: str = "",
    insecure: bool = False,
) -> HistoryOptions | None:
    """Return what `history_options` were given, None without --prometheus. Raises UsageError."""
    if not url:
        given = [name for name, value in (("--at", at), ("--selector", selector)) if value]
        if given:
            raise UsageError(f"{given[0]} belongs to a history.", "Say where it is:  --prometheus http://HOST:9090")
        return None
    from whyheap.app.pod_target import HistoryOptions  # noqa: PLC0415 - only where a history is asked for
    from whyheap.collect.prometheus_query import read_selector  # noqa: PLC0415 - as above
    from whyheap.host.http import Access  # noqa: PLC0415 - as above
    from whyheap.parse.rfc3339 import read_moment  # noqa: PLC0415 - as above

    back = seconds_of(seconds, "--history")
    if back < 1:
        raise UsageError(f"--history {seconds} is no stretch of time.", "Write --history 1h")
    return HistoryOptions(
        url if "://" in url else f"http://{url}",
        read_moment(at, time.time()) if at else None,
        back,
        read_selector(selector),
        Access(headers_of(headers), timeout_seconds, ca_file=ca_file, insecure=insecure),
    )
