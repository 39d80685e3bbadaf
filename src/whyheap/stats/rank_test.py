"""Whether two samples differ, by ranks alone: the Mann-Whitney U test, with the p-values that benchstat prints.

Source: golang.org/x/perf/benchmath, AssumeNothing.Compare (2026-09-08), which asks github.com/aclements/go-moremath's
stats.MannWhitneyUTest for the two-sided test: exact up to 50 values a side without ties and up to 25 with any, beyond
that by the normal approximation, corrected for continuity and for ties. Samples that are all equal have no p-value
there, and benchstat then says 1.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

EXACT_LIMIT = 50
"""Up to this many values in each sample the exact distribution is used, when no two of all values are equal."""
EXACT_LIMIT_WITH_TIES = 25
"""The same where some are equal."""


def mann_whitney(before: Sequence[float], after: Sequence[float]) -> float:
    """Return the two-sided p-value that both samples come from one distribution; 1.0 when all values are equal.

    Raises ValueError for an empty sample and for NaN.
    """
    if not before or not after:
        raise ValueError("a comparison needs values on both sides")
    if any(math.isnan(value) for value in (*before, *after)):
        raise ValueError("NaN has no rank")
    ties, u = _ranked(before, after)
    if len(ties) == 1:
        return 1.0
    size = max(len(before), len(after))
    has_ties = len(ties) < len(before) + len(after)
    if size <= (EXACT_LIMIT_WITH_TIES if has_ties else EXACT_LIMIT):
        return _exact(len(before), len(after), ties, u)
    return _approximate(len(before), len(after), ties, u)


def _ranked(before: Sequence[float], after: Sequence[float]) -> tuple[list[int], int]:
    """Return how many values share each rank, lowest first, and twice the U of `before` (a tie counts one half)."""
    first, both = Counter(before), Counter((*before, *after))
    ties, double_rank_sum, below = [], 0, 0
    for value in sorted(both):
        tied = both[value]
        double_rank_sum += first[value] * (2 * below + tied + 1)
        ties.append(tied)
        below += tied
    return ties, double_rank_sum - len(before) * (len(before) + 1)


def _exact(n1: int, n2: int, ties: Sequence[int], double_u: int) -> float:
    """Return twice the chance that the lower sample has a U as small as it has, over all ways to deal the values out.

    With ties and samples of different sizes the order matters to benchstat: it takes the distribution of its first
    sample's U although the smaller U is the second's, and its p can be wrong and even exceed 1. Asked with the lower
    sample first, it says the same as this, but for the 1.
    """
    other = 2 * n1 * n2 - double_u
    if double_u == other:
        return 1.0
    size, smaller = (n1, double_u) if double_u < other else (n2, other)
    most = n1 * n2 if len(ties) == n1 + n2 else smaller  # without ties all samples of these sizes have one distribution
    ways = _ways(size, tuple(ties), most)
    return min(2 * sum(ways[: smaller + 1]) / math.comb(n1 + n2, n1), 1.0)


@lru_cache(maxsize=4)
def _ways(n1: int, ties: tuple[int, ...], most: int) -> tuple[int, ...]:
    """Count the ways to choose `n1` of the ranked values, by twice the U that they have, up to `most`.

    The counts for each number of values chosen so far are one long integer: a slot of bits for each U, so that adding
    two such rows is one addition.
    """
    slot_bits = sum(ties) + 1  # no count exceeds the number of all subsets
    mask = (1 << (slot_bits * (most + 1))) - 1
    rows = [1] + [0] * n1  # rows[k]: k values chosen, by twice the U that they have so far
    below = 0
    for tied in ties:
        for chosen in range(min(n1, below + tied), 0, -1):
            for added in range(1, min(tied, chosen) + 1):
                if not rows[chosen - added]:
                    continue
                # each is above the values below that were not chosen, and level with those of its rank
                gained = added * (2 * (below - (chosen - added)) + tied - added)
                rows[chosen] += math.comb(tied, added) * rows[chosen - added] << (slot_bits * gained) & mask
        below += tied
    return tuple((rows[n1] >> (slot_bits * u)) & ((1 << slot_bits) - 1) for u in range(most + 1))


def _approximate(n1: int, n2: int, ties: Sequence[int], double_u: int) -> float:
    """Return the two-sided p of the normal approximation with both corrections."""
    count = n1 + n2
    correction = sum(tied**3 - tied for tied in ties) / (count * (count - 1))
    deviation = math.sqrt(n1 * n2 * (count + 1 - correction) / 12)
    distance = max(abs(double_u - n1 * n2) / 2 - 0.5, 0.0) if double_u != n1 * n2 else 0.0
    return math.erfc(distance / deviation / math.sqrt(2))
