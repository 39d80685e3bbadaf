"""Which cause comes first when several hold.

Three kinds of cause, each answering another question:

| kind | answers | causes |
|---|---|---|
| ending | what ended the process, if not memory of its own | address-space-limit, not-an-oom |
| demand | what takes the memory | all others |
| setting | why what is there does not fit | gc-disabled, gc-headroom, gc-thrash, limit-too-small, memory-limit-misset |

The rule asks what would have kept the process alive. An ending comes first. A setting comes before a demand exactly
when putting the setting right would have been enough: nothing that is needed grows, and all that is needed fits. While
demand grows, any setting only moves the hour: then demand comes first and the setting is named after it. Within a kind
the larger number of bytes comes first, then what is surer. If nothing fits, limit-too-small leads the settings, as the
others are its consequences.
"""

from __future__ import annotations

from collections.abc import Iterable

from whyheap.causes.history import RuntimeHistory
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict

ENDINGS = frozenset({"address-space-limit", "not-an-oom"})
SETTINGS = frozenset({"gc-disabled", "gc-headroom", "gc-thrash", "limit-too-small", "memory-limit-misset"})
MOST_NEEDED_SHARE = 0.8
"""Of the limit, that may be needed for a right setting to be enough."""
_SURENESS = (Certainty.MEASURED, Certainty.STATED, Certainty.INFERRED)


def ranked(named: Iterable[CauseVerdict], history: RuntimeHistory) -> tuple[CauseVerdict, ...]:
    """Return the causes, the one to put right first at the front."""
    found = list(named)
    setting_first = _setting_is_enough(found, history)

    def key(verdict: CauseVerdict) -> tuple[int, bool, int, int]:
        is_setting = verdict.cause in SETTINGS
        kind = 0 if verdict.cause in ENDINGS else 1 if is_setting == setting_first else 2
        follows = is_setting and verdict.cause != "limit-too-small"
        return kind, follows, -verdict.bytes, _SURENESS.index(verdict.certainty)

    return tuple(sorted(found, key=key))


def _setting_is_enough(found: Iterable[CauseVerdict], history: RuntimeHistory) -> bool:
    """Whether the process would have lived with right settings and nothing else changed."""
    if history.demand_grows:
        return False
    slugs = {verdict.cause for verdict in found}
    if "limit-too-small" in slugs:
        return slugs <= SETTINGS | ENDINGS or _others_are_small(found)
    needed, limit = history.needed_bytes, history.limit
    if needed is None or limit is None:
        return True  # no collection ran: what is needed is not known to be too much
    return needed <= MOST_NEEDED_SHARE * limit.bytes


def _others_are_small(found: Iterable[CauseVerdict]) -> bool:
    """Whether what is needed is more than what each demand takes of it."""
    needed = max(verdict.bytes for verdict in found if verdict.cause == "limit-too-small")
    return all(2 * verdict.bytes < needed for verdict in found if verdict.cause not in SETTINGS | ENDINGS)
