"""/proc/PID/smaps -> the mappings of a process with their resident bytes.

Format: https://docs.kernel.org/filesystems/proc.html, "smaps".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MOST_MAPPINGS = 200_000
_KIB = 1024
_HEAD = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{1,16}) (\S{4}) [0-9a-f]+ (\S+) (\d+)(?: +(.*))?$")
_SIZES = {"Rss": "rss", "Pss": "pss", "AnonHugePages": "huge"}


@dataclass(slots=True)
class Mapping:
    """One mapping. Sizes are in bytes; `name` is its file or the kernel's name in brackets, "" for anonymous memory."""

    start: int
    end: int
    permissions: str
    device: str
    inode: int
    name: str
    rss: int = 0
    pss: int = 0
    huge: int = 0

    @property
    def size(self) -> int:
        """Bytes of address space."""
        return self.end - self.start

    @property
    def is_shared(self) -> bool:
        """Whether writes are seen by others (MAP_SHARED)."""
        return self.permissions.endswith("s")


def parse_smaps(lines: Iterable[str]) -> Iterator[Mapping]:
    """Yield the mappings; lines that are not understood are passed over, after MOST_MAPPINGS it ends."""
    current: Mapping | None = None
    count = 0
    for line in lines:
        head = _HEAD.match(line.rstrip("\n"))
        if head is not None:
            if current is not None:
                yield current
            count += 1
            if count > MOST_MAPPINGS:
                return
            start, end, permissions, device, inode, name = head.groups()
            current = Mapping(int(start, 16), int(end, 16), permissions, device, int(inode), (name or "").strip())
            continue
        if current is None:
            continue
        key, _, rest = line.partition(":")
        attribute = _SIZES.get(key)
        size = rest.split()
        if attribute is not None and size and size[0].isdecimal():
            setattr(current, attribute, int(size[0][:15]) * _KIB)
    if current is not None:
        yield current
