"""When a recorder looks again: densely at the start and near the limit, rarely in between, never at more than its cost.

All times are in seconds of a clock that does not jump.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_SECONDS = 10.0
SHORTEST_SECONDS = 0.25
COST_SHARE = 0.005
"""Of the target's time, that each kind of reading may take."""

START_COST_SHARE = 0.02
"""The same for half a minute at the start."""

NEAR_COST_SHARE = 0.05
"""The same near the limit, where a missing sample cannot be had again."""

_FIRST_COST_SECONDS = 0.005
_NEVER = float("-inf")
_STEPS = ((0.97, 0.25), (0.92, 0.5), (0.85, 1.0), (0.7, 2.0), (0.5, 5.0))
"""Share of the limit that is used, and the pause from there on."""
_LOOKS_TO_THE_LIMIT = 30
_START_SECONDS = 30.0
_PROFILE_SECONDS = 60.0
_PROFILE_GROWTH = 1.1
_LEAP_GROWTH = 1.5
_LEAP_PROFILE_SECONDS = 1.0
_STACKS_SECONDS = 10.0
_NEAR_SHARE = 0.85
_MOVES_SHARE = 0.01
_SETTLED_SECONDS = 60.0
_NEAR_PROFILE_SECONDS = 5.0
_NEAR_STACKS_SECONDS = 1.0


@dataclass(slots=True)
class Schedule:
    """Decides from what was seen. `longest` is the pause far from the limit; a fixed interval has both bounds equal."""

    longest: float = LONGEST_SECONDS
    shortest: float = SHORTEST_SECONDS
    _begun: float | None = None
    _usage: tuple[float, float] | None = None
    _profile_at: float = _NEVER
    _profile_cost: float = 0.0
    _profile_size: float = 0.0
    _stacks_at: float = _NEVER
    _stacks_cost: float = 0.0
    _share: float = 0.0
    _level: tuple[float, float] = (_NEVER, 0.0)

    def pause(self, now: float, values: Mapping[str, float], cost_seconds: float) -> float:
        """Return how long to wait after a sample with these values, which cost the target so much."""
        if self._begun is None:
            self._begun = now
        usage, limit = _usage(values), values.get("container_limit", 0.0)
        self._share = usage / limit if limit >= 1 else 0.0
        if abs(self._share - self._level[1]) > _MOVES_SHARE:
            self._level = now, self._share
        wanted = next((pause for share, pause in _STEPS if self._share >= share), self.longest)
        wanted = min(wanted, self._until_the_limit(now, usage, limit) / _LOOKS_TO_THE_LIMIT)
        wanted = min(wanted, max((now - self._begun) / _START_SECONDS, 1.0))  # at first each second, then ever rarer
        self._usage = (now, usage)
        return max(min(wanted, self.longest), self.shortest, cost_seconds / self._allowed(now))

    def wants_profile(self, now: float, values: Mapping[str, float]) -> bool:
        """Whether a heap profile is due: at the start, when the heap grew, near the limit, else once a minute."""
        since = now - self._profile_at
        if since < self._profile_cost / self._allowed(now):
            return False
        size = values.get("heap_marked") or values.get("heap_alloc", 0.0)
        if size > _LEAP_GROWTH * self._profile_size:
            return since >= _LEAP_PROFILE_SECONDS
        grew = size > _PROFILE_GROWTH * self._profile_size
        return since >= (_NEAR_PROFILE_SECONDS if grew or self._is_tense(now) else _PROFILE_SECONDS)

    def took_profile(self, now: float, values: Mapping[str, float], cost_seconds: float) -> None:
        """Note a profile and what it cost; the first says little, as what is decoded once is in it."""
        self._profile_cost = min(cost_seconds, _FIRST_COST_SECONDS) if self._profile_at == _NEVER else cost_seconds
        self._profile_at = now
        self._profile_size = values.get("heap_marked") or values.get("heap_alloc", 0.0)

    def wants_stacks(self, now: float) -> bool:
        """Whether goroutines are due."""
        wait = _NEAR_STACKS_SECONDS if self._is_tense(now) or self._is_new(now) else _STACKS_SECONDS
        return now - self._stacks_at >= max(wait, self._stacks_cost / self._allowed(now))

    def took_stacks(self, now: float, cost_seconds: float) -> None:
        """Note a reading of goroutines and what it cost; as for profiles, the first says little."""
        self._stacks_cost = min(cost_seconds, _FIRST_COST_SECONDS) if self._stacks_at == _NEVER else cost_seconds
        self._stacks_at = now

    def _allowed(self, now: float) -> float:
        """Return the share of the target's time that a kind of reading may take now."""
        if self._is_tense(now):
            return NEAR_COST_SHARE
        return START_COST_SHARE if self._is_new(now) else COST_SHARE

    def _is_tense(self, now: float) -> bool:
        """Whether usage is near the limit and moves; many services stand still there all their life."""
        return self._share >= _NEAR_SHARE and now - self._level[0] < _SETTLED_SECONDS

    def _is_new(self, now: float) -> bool:
        return self._begun is None or now - self._begun < _START_SECONDS

    def _until_the_limit(self, now: float, usage: float, limit: float) -> float:
        """Return when usage reaches the limit if it goes on as since the last look; infinity when it does not grow."""
        if self._usage is None or limit < 1:
            return float("inf")
        before, used = self._usage
        rate = (usage - used) / (now - before) if now > before else 0.0
        return max(limit - usage, 0.0) / rate if rate > 0 else float("inf")


def _usage(values: Mapping[str, float]) -> float:
    return values.get("container_usage", values.get("rss", 0.0))
