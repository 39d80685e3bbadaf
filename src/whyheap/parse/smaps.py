"""/proc/PID/smaps -> resident bytes by class of memory, which sum up to the Rss of the same read.

Format: https://docs.kernel.org/filesystems/proc.html, "smaps". Names of Go's own regions: runtime/set_vma_name_linux.go
(Go 1.25), where the kernel has CONFIG_ANON_VMA_NAME. Without them the arenas of the Go heap must be told; what is
anonymous and neither in an arena nor the C library's stays "other".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

MOST_MAPPINGS = 200_000
_KIB = 1024
_HEAD = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{1,16}) (\S{4}) [0-9a-f]+ (\S+) (\d+)(?: +(.*))?$")
_SIZES = {"Rss": "rss", "Pss": "pss", "AnonHugePages": "huge"}
_GO_NAME = re.compile(r"\[anon: ?Go: ?(.*?)\]")
_LIBRARY = re.compile(r"\.so(?:\.[\d.]+)?$")
_SHARED = ("/dev/shm/", "/memfd:", "/SYSV", "/dev/zero", "[anon_shmem")  # noqa: S108 - names as the kernel prints them
_BY_NAME = {"[heap": "smaps_c_heap", "[stack": "smaps_thread_stacks", "[anon": "smaps_other_anon"}
_DELETED = " (deleted)"
_C_ARENA = 64 << 20  # glibc malloc/arena.c, HEAP_MAX_SIZE on 64-bit
_THREAD_STACK = range(7 << 20, (8 << 20) + 1)  # pthread_create(3): RLIMIT_STACK, 8 MiB as a rule, less the guard
_GO_HEAP = ("heap", "arena")


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
    def is_shared(self) -> bool:
        """Whether writes are seen by others (MAP_SHARED)."""
        return self.permissions.endswith("s")


@dataclass(frozen=True, slots=True)
class Classes:
    """Resident bytes by gauge name, `smaps_rss` among them, and the number of mappings.

    `named` says that the kernel names Go's own regions.
    """

    values: dict[str, float]
    mappings: int
    named: bool
    shared: tuple[tuple[str, int, str, int], ...] = field(default=())
    """Shared segments that are resident: device, inode, name, bytes; the largest first."""


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


def classify(mappings: Iterable[Mapping], program: str, arenas: Sequence[tuple[int, int]] = ()) -> Classes:
    """Sum resident bytes by class. `program` is the path of the executable, `arenas` those of the Go heap if known."""
    values: dict[str, float] = {}
    shared: dict[tuple[str, int, str], int] = {}
    count, named = 0, False
    before: Mapping | None = None
    for one in mappings:
        count += 1
        named = named or one.name.startswith(("[anon: Go:", "[anon:Go:"))
        name = _class_of(one, before, program, arenas)
        values[name] = values.get(name, 0.0) + one.rss
        for gauge, size in (("smaps_rss", one.rss), ("smaps_pss", one.pss), ("smaps_huge", one.huge)):
            values[gauge] = values.get(gauge, 0.0) + size
        if name == "smaps_shared" and one.rss:
            key = (one.device, one.inode, one.name)
            shared[key] = shared.get(key, 0) + one.rss
        before = one
    largest = sorted(((*key, size) for key, size in shared.items()), key=lambda segment: -segment[3])
    return Classes(values, count, named, tuple(largest[:10]))


def _class_of(one: Mapping, before: Mapping | None, program: str, arenas: Sequence[tuple[int, int]]) -> str:
    name = one.name.removesuffix(_DELETED)
    if one.name.startswith(_SHARED) or (one.is_shared and not name.startswith("/")):
        return "smaps_shared"
    if name.startswith("/"):
        return _of_file(one, name, program)
    go = _GO_NAME.match(one.name)
    if go is not None:
        return _of_go(go[1])
    if one.name.startswith("["):
        return _BY_NAME.get(one.name.partition(":")[0].rstrip("]"), "smaps_special")
    if any(start < one.end and one.start < end for start, end in arenas):
        return "smaps_go_heap"
    return _of_anonymous(one, before, program)


def _of_file(one: Mapping, name: str, program: str) -> str:
    if name == program.removesuffix(_DELETED):
        return "smaps_data" if "w" in one.permissions else "smaps_text"
    if _LIBRARY.search(name):
        return "smaps_libraries"
    return "smaps_shared" if one.device.startswith("00:") and one.is_shared and one.inode == 0 else "smaps_file"


def _of_go(said: str) -> str:
    if "stack" in said:
        return "smaps_go_stacks"
    if said.startswith(_GO_HEAP) and "metadata" not in said:
        return "smaps_go_heap"
    return "smaps_go_metadata"


def _is_data(one: Mapping, program: str) -> bool:
    return one.name.removesuffix(_DELETED) == program.removesuffix(_DELETED) and "w" in one.permissions


def _of_anonymous(one: Mapping, before: Mapping | None, program: str) -> str:
    size = one.end - one.start
    follows = before is not None and before.end == one.start
    if follows and before is not None and _is_data(before, program):
        return "smaps_data"  # bss: behind the data of the same file
    if follows and before is not None and before.permissions.startswith("---") and size in _THREAD_STACK:
        return "smaps_thread_stacks"
    if one.start % _C_ARENA == 0 and size <= _C_ARENA and "w" in one.permissions:
        return "smaps_c_heap"
    return "smaps_other_anon"
