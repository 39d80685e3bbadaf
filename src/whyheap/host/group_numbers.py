"""What a control group says of its memory: charge by kind, events, pressure, processes; cgroup v1 and v2.

Format: https://docs.kernel.org/admin-guide/cgroup-v2.html, .../cgroup-v1/memory.html, .../accounting/psi.html. A file
that is missing or says "max" leaves its number out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from whyheap.host.cgroup import Group
from whyheap.host.procfs import PROC

_UNLIMITED = 1 << 62
_DIGITS = 20
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
}
_V2_EVENTS: Mapping[str, str] = {
    "oom": "container_ooms",
    "max": "container_max_hits",
    "high": "container_high_hits",
}


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
        both, memory = (_number(folder / f"memory.{name}limit_in_bytes") for name in ("memsw.", ""))
        if both is not None and memory is not None:  # v1 limits memory and swap together
            values["container_swap_limit"] = float(max(both - memory, 0))
    else:
        events = _pairs(folder / "memory.events")
        if stat:  # sockets are charged beside "kernel", which is told since Linux 5.18
            parts = ("kernel", "sock") if "kernel" in stat else _V2_KERNEL
            values["container_kernel"] = float(sum(stat.get(name, 0) for name in parts))
        values |= {gauge: float(events[name]) for name, gauge in _V2_EVENTS.items() if name in events}
        values |= read_pressure(folder / "memory.pressure")
    return values


def count_kills(folders: Iterable[Path], version: int) -> dict[Path, int]:
    """Return how many processes were killed for memory, by group that counted them; whose limit it was does not matter.

    v2 counts in the victim's group and all above it: its outermost folder says all. v1 counts in the victim's group
    alone (include/linux/memcontrol.h, memcg_memory_event). With memory.oom.group the first victim is counted twice
    (mm/oom_kill.c, oom_kill_process), which oom_group_kill tells; others may be, once more by a thread.
    """
    name = "memory.oom_control" if version == 1 else "memory.events"
    found = {}
    for folder in folders:
        events = _pairs(folder / name)
        if "oom_kill" in events:  # since Linux 4.13
            found[folder] = max(events["oom_kill"] - events.get("oom_group_kill", 0), 0)
    return found


def read_task_numbers(groups: Sequence[Group]) -> dict[str, float]:
    """Return `container_pids` and its limit: tasks, threads included, of the group of a chain with the least room."""
    tightest: tuple[float, dict[str, float]] = float("inf"), {}
    for group in reversed(groups):
        count, limit = _number(group.folder / "pids.current"), _number(group.folder / "pids.max")
        if count is None:
            continue
        room = float("inf") if limit is None else limit - count
        said = {"container_pids": float(count)} | ({} if limit is None else {"container_pids_limit": float(limit)})
        if room < tightest[0] or room == float("inf") == tightest[0]:
            tightest = room, said
    return tightest[1]


def read_machine_pressure(proc: Path = PROC) -> dict[str, float]:
    """Return the whole machine's waiting for memory, for groups that do not tell theirs."""
    return read_pressure(proc / "pressure/memory")


def read_pressure(path: Path) -> dict[str, float]:
    """Return the share of time in which some or all tasks waited for memory, and their sums."""
    values: dict[str, float] = {}
    with suppress(OSError, ValueError, KeyError):
        for line in path.read_text().splitlines():
            kind, *fields = line.split() or [""]
            said = dict(field.partition("=")[::2] for field in fields)
            if kind in {"some", "full"}:
                share, total = float(said["avg10"]) / 100, int(said["total"][:_DIGITS]) / 1e6
                if 0 <= share <= 1:
                    values[f"psi_{kind}_avg10"], values[f"psi_{kind}_seconds"] = share, total
    return values


def _pairs(path: Path) -> dict[str, int]:
    """Read a file of "name number" lines."""
    found: dict[str, int] = {}
    with suppress(OSError, UnicodeDecodeError):
        for line in path.read_text().splitlines():
            name, _, value = line.partition(" ")
            if value.isdecimal() and len(value) < _DIGITS:
                found[name] = int(value)
    return found


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    number = int(text) if text.isdecimal() and len(text) < _DIGITS else None
    return None if number is None or number >= _UNLIMITED else number
