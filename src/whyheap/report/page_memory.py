"""The memory view of the page as data: the account of the last moment, all accounts over time, and events.

The browser reads it as `MemoryData` in web/src/memory_data.ts; both files change together.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from whyheap.model.account import MemoryAccount
    from whyheap.model.event import Event
    from whyheap.model.report import Report

MOST_EVENTS: Final = 500
LONGEST_EVENT: Final = 2000

Json = dict[str, Any]


def page_memory(report: Report) -> Json:
    """Return account, timeline and events; only JSON values, bounded."""
    events = report.events[-MOST_EVENTS:]
    return {
        "account": None if report.account is None else _account(report.account),
        "timeline": _timeline(report.timeline),
        "events": [_event(event) for event in events],
        "eventsLeftOut": len(report.events) - len(events),
    }


def _account(account: MemoryAccount) -> Json:
    return {
        "at": account.at,
        "charge": account.charge_bytes,
        "rss": account.rss_bytes,
        "unexplained": account.unexplained_bytes,
        "untouched": account.untouched_bytes,
        "parts": [[part.slug, part.title, part.bytes, part.certainty.value] for part in account.parts],
    }


def _timeline(accounts: Sequence[MemoryAccount]) -> Json | None:
    """Return a column of bytes for each part, 0 where a moment has none; None with fewer than two moments."""
    moments = [(at, one) for one in accounts if (at := _seconds(one.at)) is not None]
    if len(moments) < 2:  # noqa: PLR2004 - a point is no line
        return None
    titles = {part.slug: part.title for _, one in moments for part in one.parts}
    sizes = [{part.slug: part.bytes for part in one.parts} for _, one in moments]
    return {
        "seconds": [at for at, _ in moments],
        "parts": [
            {"slug": slug, "title": title, "values": [max(size.get(slug, 0), 0) for size in sizes]}
            for slug, title in titles.items()
        ],
        "unexplained": [max(one.unexplained_bytes, 0) for _, one in moments],
    }


def _event(event: Event) -> list[str | float | None]:
    return [event.kind.value, _seconds(event.at), event.text[:LONGEST_EVENT], event.witness[:LONGEST_EVENT]]


def _seconds(at: str) -> float | None:
    """Return seconds since 1970, None for a time that is not known or cannot be read."""
    try:
        return datetime.fromisoformat(at).timestamp()
    except (ValueError, OverflowError):
        return None
