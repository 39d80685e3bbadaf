"""Where memory went: one stacked account from what the kernel charges down to the live heap."""

from __future__ import annotations

from dataclasses import dataclass

from whyheap.model.finding import Certainty


@dataclass(frozen=True, slots=True)
class AccountPart:
    """One part of the account. `slug` names its kind, `title` says it in words; parts do not overlap."""

    slug: str
    title: str
    bytes: int
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class MemoryAccount:
    """All parts of one moment `at`, outermost first.

    `charge_bytes` is what the kernel charges the group with, None without a group; `rss_bytes` is the process's own,
    of which `rss_explained_bytes` are in parts. What the parts leave of the whole, the charge where there is one, is
    `unexplained_bytes`: negative where they hold more, as when numbers of two moments are put together.

    `untouched_bytes` are in use but were never written, or are swapped out, so not resident and in no part.
    `elsewhere_bytes` are resident here but charged to another group that used them first (files, shared memory).
    """

    at: str
    rss_bytes: int
    rss_explained_bytes: int
    parts: tuple[AccountPart, ...]
    charge_bytes: int | None = None
    unexplained_bytes: int = 0
    untouched_bytes: int = 0
    elsewhere_bytes: int = 0
