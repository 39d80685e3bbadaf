"""Where memory went and what happened, as the terminal shows it: two blocks below the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from whyheap.report.terminal_text import LABEL_WIDTH, STYLE_QUIET, cut, labelled, line, pad, side_by_side, wrap
from whyheap.units import format_bytes, format_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from whyheap.model.account import MemoryAccount
    from whyheap.model.event import Event

_LEAST_SHARE: Final = 0.01
_WIDEST_TITLE: Final = 34
_EVENTS_SHOWN: Final = 6
_TIME: Final = slice(11, 19)
_NO_TIME: Final = "--:--:--"
_WIDEST_BAR: Final = 16
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def memory_rows(account: MemoryAccount | None, width: int, *, all_rows: bool) -> list[Text]:
    """Say where memory went, the largest part first; parts below a hundredth are summed up unless `all_rows`."""
    if account is None:
        return []
    whole = max(account.charge_bytes or 0, account.rss_bytes, 1)
    shown = [part for part in account.parts if part.bytes >= _LEAST_SHARE * whole or (all_rows and part.bytes)]
    rest = sum(part.bytes for part in account.parts if part not in shown)
    rows = [(part.title, part.bytes, part.certainty.value) for part in sorted(shown, key=lambda part: -part.bytes)]
    if rest > 0:
        left = len(account.parts) - len(shown)
        rows.append((f"{left} smaller part{'s' if left > 1 else ''}", rest, ""))
    rows.append(("unexplained", account.unexplained_bytes, ""))
    title_width = min(max(cell_len(title) for title, *_ in rows), _WIDEST_TITLE)
    bar = min(_WIDEST_BAR, width - LABEL_WIDTH - title_width - 34)
    lines = [line((part, STYLE_QUIET)) for part in wrap(_of(account), width - LABEL_WIDTH)]
    for title, size, vouch in rows:
        share = max(size, 0) / whole
        text = line(pad(cut(title, title_width), title_width), f"  {format_bytes(size):>9}  {format_share(share):>7}")
        if bar > 0:
            text.append(f"  {pad(_bar(share, bar), bar)}")
        lines.append(text.append(f"  {vouch}", STYLE_QUIET) if vouch else text)
    if account.untouched_bytes > _LEAST_SHARE * whole:
        note = f"{format_bytes(account.untouched_bytes)} of live heap was never written, so it is not resident"
        lines += [line((part, STYLE_QUIET)) for part in wrap(note, width - LABEL_WIDTH)]
    return labelled("MEMORY", lines)


def event_rows(events: Sequence[Event], width: int, *, all_rows: bool) -> list[Text]:
    """Tell what happened, in order of time: the last few, or all."""
    shown = events if all_rows else events[-_EVENTS_SHOWN:]
    rows = [(line((f"{event.at[_TIME] or _NO_TIME}  ", STYLE_QUIET)), event.text, "", event.witness) for event in shown]
    laid_out = side_by_side(rows, width - LABEL_WIDTH)
    if len(shown) < len(events):
        laid_out = [line((f"{len(events) - len(shown)} earlier (--all)", STYLE_QUIET)), *laid_out]
    return labelled("EVENTS", laid_out) if rows else []


def _of(account: MemoryAccount) -> str:
    at = f"at {account.at[_TIME]} UTC: " if account.at else ""
    resident = f"{format_bytes(account.rss_bytes)} resident in the process"
    if account.charge_bytes is None:
        return f"{at}{resident}"
    return f"{at}{format_bytes(account.charge_bytes)} charged to the group, {resident}"


def _bar(share: float, width: int) -> str:
    """Draw a share of `width` cells in eighths."""
    eighths = round(min(share, 1.0) * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[part] if part else ""))[:width]
