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
    """All parts of one moment `at`, outermost first. What they leave of the whole is `unexplained_bytes`.

    `charge_bytes` is what the kernel charges the group with, None without a group; `rss_bytes` is the process's own,
    of which `rss_explained_bytes` are in parts. `untouched_bytes` are live but were never written, so not resident.
    """

    at: str
    rss_bytes: int
    rss_explained_bytes: int
    parts: tuple[AccountPart, ...]
    charge_bytes: int | None = None
    unexplained_bytes: int = 0
    untouched_bytes: int = 0
