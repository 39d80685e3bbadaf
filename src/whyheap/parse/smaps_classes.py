"""Mappings of a Go process -> resident bytes by class of memory, which sum up to the Rss of the same read.

| class | told by |
|---|---|
| Go heap | its arenas, where somebody knows them; the kernel's names; else by where Go puts it (inferred) |
| the runtime's own | the kernel's names only: set_vma_name_linux.go, Go 1.25, with CONFIG_ANON_VMA_NAME |
| C heap | [heap], and the allocator's arenas: glibc malloc/arena.c, HEAP_MAX_SIZE, 64 MiB aligned to their size |
| thread stacks | anonymous memory behind a guard; C's only, Go's own threads have theirs in the runtime's memory |
| shared | tmpfs by its device, memfd, System V and shared anonymous memory by their names (mm/shmem.c, ipc/shm.c) |

What is anonymous and none of these is "other": mappings of the program (mmap), large blocks of malloc, and the
runtime's own memory where the kernel does not name it. Where glibc is 2.42 or newer, guards are no mappings of their
own: stacks of threads that lie side by side are then among "other".
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from whyheap.parse.smaps import Mapping

_GO_NAME = re.compile(r"\[anon: ?Go: ?(.*?)\]")
_GO_HEAP = ("heap", "user arena", "used", "unused")
_LIBRARY = re.compile(r"\.so(?:\.[\d.]+)?$")
_SHARED = ("/dev/shm/", "/memfd:", "/SYSV", "/dev/zero", "[anon_shmem")  # noqa: S108 - names as the kernel prints them
_BY_NAME = (
    ("[heap", "smaps_c_heap"),
    ("[stack", "smaps_thread_stacks"),
    ("[anon: glibc: malloc", "smaps_c_heap"),  # glibc 2.39 with glibc.mem.decorate_maps=1
    ("[anon: glibc: pthread", "smaps_thread_stacks"),
    ("[anon:libc_malloc", "smaps_c_heap"),  # bionic
    ("[anon", "smaps_other_anon"),
)
_DELETED = " (deleted)"
_ARENA = 64 << 20  # of Go: heapArenaBytes in runtime/malloc.go; of glibc: HEAP_MAX_SIZE
_STACK = 0x8000_0000_0000  # where the first thread's stack is, when that is not seen
_KERNELS_SHARE = 1 / 8  # the kernel gives addresses right below the stack, Go asks for such below 2^46 (malloc.go)
_USUAL_STACK = range(7 << 20, (8 << 20) + 1)  # pthread_create(3): RLIMIT_STACK, 8 MiB as a rule, less the guard
_OTHER_STACK = range(64 << 10, (64 << 20) + 1)
_LARGEST_GUARD = 64 << 10
_LARGEST_BSS = 1 << 20


@dataclass(frozen=True, slots=True)
class Layout:
    """What else is known: the executable's path, the Go heap's arenas [start, end), and devices that are memory."""

    program: str
    arenas: Sequence[tuple[int, int]] = ()
    memory_devices: AbstractSet[str] = frozenset()


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


def classify(mappings: Iterable[Mapping], layout: Layout) -> Classes:
    """Sum resident bytes by class. Every byte of Rss is in exactly one; a class that the process lacks is absent."""
    everything = list(mappings)
    sorter = _Sorter(everything, layout)
    values: dict[str, float] = {}
    shared: dict[tuple[str, int, str], int] = {}
    for index, one in enumerate(everything):
        name = sorter.class_of(index)
        values[name] = values.get(name, 0.0) + one.rss
        for gauge, size in (("smaps_rss", one.rss), ("smaps_pss", one.pss), ("smaps_huge", one.huge)):
            values[gauge] = values.get(gauge, 0.0) + size
        if name == "smaps_shared" and one.rss:
            key = (one.device, one.inode, one.name)
            shared[key] = shared.get(key, 0) + one.rss
    if everything:
        values.setdefault("smaps_go_heap", 0.0)
        values.setdefault("smaps_other_anon", 0.0)
    largest = sorted(((*key, size) for key, size in shared.items()), key=lambda segment: -segment[3])
    return Classes(values, len(everything), sorter.named, tuple(largest[:10]))


class _Sorter:
    """Tells the class of each mapping from itself and those beside it."""

    def __init__(self, mappings: list[Mapping], layout: Layout) -> None:
        self._mappings = mappings
        self._program = layout.program.removesuffix(_DELETED)
        self._devices = layout.memory_devices
        self._arenas = sorted(layout.arenas)
        self._starts = [start for start, _ in self._arenas]
        self.named = any(one.name.startswith(("[anon: Go:", "[anon:Go:")) for one in mappings)
        self._has_c = any(one.name.startswith("[heap") or _LIBRARY.search(one.name) for one in mappings)
        self._runs = _runs(mappings)
        stack = next((one.start for one in reversed(mappings) if one.name.startswith("[stack")), _STACK)
        self._kernels_from = int(stack * (1 - _KERNELS_SHARE))

    def class_of(self, index: int) -> str:
        one = self._mappings[index]
        name = one.name.removesuffix(_DELETED)
        if one.name.startswith(_SHARED) or (one.is_shared and not name.startswith("/")):
            return "smaps_shared"
        if name.startswith("/"):
            return self._of_file(one, name)
        go = _GO_NAME.match(one.name)
        if go is not None:
            return _of_go(go[1])
        if one.name.startswith("["):
            return next((kind for start, kind in _BY_NAME if one.name.startswith(start)), "smaps_special")
        return self._of_anonymous(index)

    def _of_file(self, one: Mapping, name: str) -> str:
        if name == self._program:
            return "smaps_data" if "w" in one.permissions else "smaps_text"
        if _LIBRARY.search(name):
            return "smaps_libraries"
        return "smaps_shared" if one.device in self._devices else "smaps_file"

    def _of_anonymous(self, index: int) -> str:
        one = self._mappings[index]
        if self._is_in_arena(one):
            return "smaps_go_heap"
        before = self._mappings[index - 1] if index and self._mappings[index - 1].end == one.start else None
        beside = self._by_what_is_before(one, before) if before is not None else ""
        if beside:
            return beside
        if self._fills_arenas(index):
            if one.start >= self._kernels_from:
                return "smaps_c_heap" if self._has_c else "smaps_other_anon"
            if not self._arenas and not self.named:
                return "smaps_go_heap"
        return "smaps_other_anon"

    def _by_what_is_before(self, one: Mapping, before: Mapping) -> str:
        if "w" in before.permissions and before.name.startswith("/"):  # bss of the same file
            name = before.name.removesuffix(_DELETED)
            if name == self._program:
                return "smaps_data"
            return "smaps_libraries" if _LIBRARY.search(name) and one.size <= _LARGEST_BSS else ""
        return "smaps_thread_stacks" if self._is_stack(one, before) else ""

    def _is_stack(self, one: Mapping, guard: Mapping) -> bool:
        if not guard.permissions.startswith("---") or guard.name or one.start < self._kernels_from:
            return False
        is_guard = self._has_c and guard.size <= _LARGEST_GUARD
        return "w" in one.permissions and (one.size in _USUAL_STACK or (is_guard and one.size in _OTHER_STACK))

    def _is_in_arena(self, one: Mapping) -> bool:
        at = bisect_right(self._starts, one.end - 1) - 1
        return at >= 0 and one.start < self._arenas[at][1]

    def _fills_arenas(self, index: int) -> bool:
        """Whether the mapping and unnamed ones beside it fill whole arenas: a heap that was reserved in such."""
        one, (start, end) = self._mappings[index], self._runs[index]
        return start <= one.start // _ARENA * _ARENA and -(-one.end // _ARENA) * _ARENA <= end


def _runs(mappings: Sequence[Mapping]) -> list[tuple[int, int]]:
    """Return for each mapping where the unnamed private mappings without gaps begin and end that it is among."""
    runs: list[tuple[int, int]] = []
    first = 0
    for index, one in enumerate(mappings):
        if index and (mappings[index - 1].end != one.start or not (_is_plain(one) and _is_plain(mappings[index - 1]))):
            runs += [(mappings[first].start, mappings[index - 1].end)] * (index - first)
            first = index
    if mappings:
        runs += [(mappings[first].start, mappings[-1].end)] * (len(mappings) - first)
    return runs


def _is_plain(one: Mapping) -> bool:
    return not one.name and not one.is_shared


def _of_go(said: str) -> str:
    """Return the class of a region by its name in the runtime (mem_linux.go and its callers, Go 1.25 to 1.27)."""
    if "stack" in said:
        return "smaps_go_stacks"
    return "smaps_go_heap" if said.startswith(_GO_HEAP) else "smaps_go_metadata"
