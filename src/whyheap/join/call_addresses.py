"""Which call of the allocator made an object: the address that a heap profile keeps is that of the binary's code.

A location's address lies in the call instruction (its return address less 1: runtime/pprof/proto.go, 1.22 to 1.27).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from whyheap.model.profile import HeapProfile
from whyheap.model.scan import Scan

_CALL_BYTES = {"amd64": 5, "arm64": 4}
"""Length of a direct call: E8 and its displacement; BL."""

_MATCHING = 0.5
"""Some leaves call into the runtime (runtime.GC), which a profile leaves out; of another build none fits."""


class CallAddresses:
    """The allocator calls of a binary by address, and where the profiled process had it in memory."""

    def __init__(self, scan: Scan, profile: HeapProfile) -> None:
        """Read the addresses of a scan whose machine code is a linked binary's."""
        self._profile = profile
        self._length = _CALL_BYTES.get(scan.goarch, 0)
        self._calls = frozenset(
            call.address for package in scan.packages for function in package.functions or () for call in function.calls
        )
        moved = (mapping.start - mapping.offset - scan.base_address for mapping in profile.mappings)
        self._biases = tuple(dict.fromkeys((0, *moved)))
        self._bias: int | None = None

    def settle(self, locations: Iterable[int]) -> bool:
        """Find how far the process had moved the code; False when the addresses are not this binary's.

        `locations` are those that called the allocator, of the packages that were read.
        """
        wanted = [int(self._profile.addresses[location]) for location in set(locations)]
        if not wanted or not self._length:
            return False
        scores = {
            bias: sum(address - bias + 1 - self._length in self._calls for address in wanted) for bias in self._biases
        }
        best = max(scores, key=lambda bias: scores[bias])
        if scores[best] < _MATCHING * len(wanted):
            return False
        self._bias = best
        return True

    def call(self, location: int) -> int | None:
        """Return the address of the allocator call that a location stands for, None when it is not known."""
        if self._bias is None:
            return None
        address = int(self._profile.addresses[location]) - self._bias + 1 - self._length
        return address if address in self._calls else None


def by_call(addresses: CallAddresses | None, sums: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    """Turn sums per location of one line into sums per call; empty when a location is unknown."""
    found: dict[int, list[int]] = {}
    for location, values in sums.items():
        address = addresses.call(location) if addresses is not None else None
        if address is None:
            return {}
        known = found.setdefault(address, [0] * len(values))
        for position, value in enumerate(values):
            known[position] += value
    return found
