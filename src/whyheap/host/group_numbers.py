"""What a control group says of its memory: charge by kind, events, pressure, members; cgroup v1 and v2.

Format: https://docs.kernel.org/admin-guide/cgroup-v2.html, .../cgroup-v1/memory.html, .../accounting/psi.html. A file
that is missing or says "max" leaves its number out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

_UNLIMITED = 1 << 62
_V1_STAT: Mapping[str, str] = {
    "total_rss": "container_anon",
    "total_cache": "container_file",
    "total_inactive_file": "container_inactive_file",
    "total_shmem": "container_shmem",
    "total_swap": "container_swap",
}
_V2_STAT: Mapping[str, str] = {
    "anon": "container_anon",
    "file": "container_file",
    "inactive_file": "container_inactive_file",
    "shmem": "container_shmem",
    "slab_reclaimable": "container_slab_reclaimable",
    "kernel": "container_kernel",  # since Linux 5.18
}
_V2_KERNEL = ("slab", "kernel_stack", "pagetables", "percpu", "sock", "vmalloc")
_V1_FILES: Mapping[str, str] = {
    "memory.usage_in_bytes": "container_charge",
    "memory.max_usage_in_bytes": "container_peak",
    "memory.failcnt": "container_max_hits",
    "memory.kmem.usage_in_bytes": "container_kernel",
}
_V2_FILES: Mapping[str, str] = {
    "memory.current": "container_charge",
    "memory.peak": "container_peak",
    "memory.high": "container_high",
    "memory.swap.current": "container_swap",
    "memory.swap.max": "container_swap_limit",
    "pids.current": "container_pids",
    "pids.max": "container_pids_limit",
}
_V2_EVENTS: Mapping[str, str] = {
    "oom": "container_ooms",
    "max": "container_max_hits",
    "high": "container_high_hits",
}
_MOST_GROUPS = 2000
_MOST_PROCESSES = 20_000


def read_group_numbers(folder: Path, version: int) -> dict[str, float]:
    """Return the numbers of one group by gauge name. Few files are read, each in one piece: some 0.1 ms in all."""
    values: dict[str, float] = {}
    for name, gauge in (_V1_FILES if version == 1 else _V2_FILES).items():
        number = _number(folder / name)
        if number is not None:
            values[gauge] = float(number)
    stat = _pairs(folder / "memory.stat")
    for name, gauge in (_V1_STAT if version == 1 else _V2_STAT).items():
        if name in stat:
            values[gauge] = float(stat[name])
    if version == 1:
        events = _pairs(folder / "memory.oom_control")
    else:
        events = _pairs(folder / "memory.events")
        if "kernel" not in stat and stat:
            values["container_kernel"] = float(sum(stat.get(name, 0) for name in _V2_KERNEL))
        values |= {gauge: float(events[name]) for name, gauge in _V2_EVENTS.items() if name in events}
        values |= _pressure(folder / "memory.pressure")
    kills = _kills(events)
    if kills is not None:
        values["container_oom_kills"] = float(kills)
    return values


def members(folder: Path) -> list[int]:
    """Return the processes of a group and of all groups below it, ascending."""
    found: set[int] = set()
    for group in _groups(folder):
        with suppress(OSError):
            lines = (group / "cgroup.procs").read_text().split()
            found.update(int(line) for line in lines[:_MOST_PROCESSES] if line.isdecimal())
    return sorted(found)


def _groups(folder: Path) -> Iterator[Path]:
    waiting, seen = [folder], 0
    while waiting and seen < _MOST_GROUPS:
        group = waiting.pop()
        seen += 1
        yield group
        with suppress(OSError):
            waiting += [entry for entry in group.iterdir() if entry.is_dir() and not entry.is_symlink()]


def _kills(events: Mapping[str, int]) -> int | None:
    """Return how many times the kernel killed here. With memory.oom.group each process counts, and the group once.

    Kernel: mm/oom_kill.c, __oom_kill_process and oom_kill_process; v1's counter is the same one.
    """
    return events.get("oom_kill")


def _pressure(path: Path) -> dict[str, float]:
    """Return the share of time in which some or all tasks waited for memory, and their sums."""
    values: dict[str, float] = {}
    with suppress(OSError, ValueError):
        for line in path.read_text().splitlines():
            kind, *fields = line.split()
            said = dict(field.partition("=")[::2] for field in fields)
            if kind in {"some", "full"}:
                values[f"psi_{kind}_avg10"] = float(said["avg10"]) / 100
                values[f"psi_{kind}_seconds"] = int(said["total"]) / 1e6
    return values


def _pairs(path: Path) -> dict[str, int]:
    """Read a file of "name number" lines."""
    found: dict[str, int] = {}
    with suppress(OSError):
        for line in path.read_text().splitlines():
            name, _, value = line.partition(" ")
            if value.isdecimal():
                found[name] = int(value)
    return found


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    number = int(text) if text.isdecimal() else None
    return None if number is None or number >= _UNLIMITED else number
