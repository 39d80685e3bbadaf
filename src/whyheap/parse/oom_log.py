"""The kernel's words on a kill for memory -> events: whose limit fired, who was killed, with how much.

Format: mm/oom_kill.c (Linux 4.19 to 6.18), dump_header, dump_oom_summary and __oom_kill_process; mm/memcontrol.c,
mem_cgroup_print_oom_meminfo:

    shop invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
    memory: usage 65536kB, limit 65536kB, failcnt 347
    Memory cgroup stats for /a:
    anon 65000000
    oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),...,oom_memcg=/a,task_memcg=/a/b,task=shop,pid=7,uid=0
    Memory cgroup out of memory: Killed process 7 (shop) total-vm:9kB, anon-rss:8kB, file-rss:1kB, shmem-rss:0kB, ...

Before Linux 4.19 there is no "oom-kill:" line; groups are named by "Task in /a/b killed as a result of limit of /a".
Names of tasks and groups are chosen by whoever is in them: what stands behind a name is found from the line's end. One
kill is dumped after the other, under one lock, so a block's lines belong together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from whyheap.model.event import Event, EventKind

WITNESS = "kernel"
MOST_KILLS = 1000
MATTERS: Final = re.compile(
    r"oom-kill:|invoked oom-killer|Kill(?:ed)? process \d|killed as a result of limit of|memory\.oom\.group set"
    r"|memory: usage \d|(?:^|\s)(?:total_rss|total_cache|total_shmem|anon|file|shmem|kernel) \d+$",
    re.MULTILINE,
)
"""What of a log `parse_oom_log` can use: other lines may be left out."""
_KIB = 1024
_LONGEST = 4096
_SUMMARY = re.compile(r"oom-kill:constraint=([A-Z_]{1,40}),(.*),task=(.*),pid=(\d{1,10}),uid=\d+", re.DOTALL)
_OOM_GROUP = ",oom_memcg="
_TASK_GROUP = ",task_memcg="
_OLD_GROUPS = re.compile(r"Task in (.+) killed as a result of limit of (.+)")
_KILLED = re.compile(
    r"(Memory cgroup out of memory|Out of memory(?: \(oom_kill_allocating_task\))?): "
    r"Kill(?:ed)? process (\d{1,10}) \((.*)\)"
    r"(?:,? (?:UID \d+,? )?total-vm:(\d{1,15})kB, anon-rss:(\d{1,15})kB, file-rss:(\d{1,15})kB"
    r"(?:, shmem-rss:(\d{1,15})kB)?| score \d)",
    re.DOTALL,
)
_OLD_SIZES = re.compile(
    r"Killed process (\d{1,10}) \(.*\),? total-vm:(\d{1,15})kB, anon-rss:(\d{1,15})kB, file-rss:(\d{1,15})kB"
    r"(?:, shmem-rss:(\d{1,15})kB)?",
    re.DOTALL,
)
_GROUP_KILL = re.compile(r"Tasks in (.+) are going to be killed due to memory\.oom\.group set")
_ASKED = re.compile(r"(?:^|\] |: )([^\]]{1,64}?) invoked oom-killer: ")
_USAGE = re.compile(r"(?:^|\s)memory: usage (\d{1,15})kB, limit (\d{1,15})kB, failcnt (\d{1,18})")
_STAT = re.compile(r"(?:^|\s)(total_rss|total_cache|total_shmem|anon|file|shmem|kernel) (\d{1,18})$", re.MULTILINE)
_STAT_LABELS: Final = {
    "total_rss": "group_anon",
    "anon": "group_anon",
    "total_cache": "group_file",
    "file": "group_file",
    "total_shmem": "group_shmem",
    "shmem": "group_shmem",
    "kernel": "group_kernel",
}
_THREADS = 1000
_SIZES = ("total_vm", "anon_rss", "file_rss", "shmem_rss")


def parse_oom_log(lines: Iterable[tuple[str, str]]) -> Iterator[Event]:
    """Yield an event for each kill among (RFC 3339 UTC or "", text), at most MOST_KILLS; pass over other lines."""
    reader = _Reader()
    for count, event in enumerate(reader.read(lines)):
        if count >= MOST_KILLS:
            return
        yield event


class _Reader:
    """What was said so far of the kill that is being told."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        self._group: dict[str, str] = {}  # of a group whose tasks are all killed
        self._named: list[tuple[int, str]] = []
        self._waiting: tuple[str, re.Match[str]] | None = None  # before Linux 5.0 sizes have a line of their own

    def read(self, lines: Iterable[tuple[str, str]]) -> Iterator[Event]:
        for at, whole in lines:
            text = whole[:_LONGEST]
            killed = _KILLED.search(text)
            sizes = _OLD_SIZES.search(text) if self._waiting is not None and killed is None else None
            if sizes is not None and self._waiting is not None and sizes[1] == self._waiting[1][2]:
                yield self._kill(*self._waiting, sizes.groups()[1:])
                self._waiting = None
                continue
            if killed is None:
                group_kill = _GROUP_KILL.search(text)
                if group_kill is not None:
                    group = _printable(group_kill[1])
                    words = f"The kernel kills all processes of {group}, as memory.oom.group is set."
                    yield Event(EventKind.NOTE, at, words, WITNESS, {"group": group})
                else:
                    self._gather(text)
                continue
            if self._waiting is not None:
                yield self._kill(*self._waiting, ())
                self._waiting = None
            if self._is_named_again(killed):
                continue
            if killed[4] is None:
                self._waiting = at, killed
            else:
                yield self._kill(at, killed, killed.groups()[3:])
        if self._waiting is not None:
            yield self._kill(*self._waiting, ())

    def _gather(self, text: str) -> None:
        found = _gather(self._said, text)
        if found is not self._said:
            self._group, self._named, self._said = {}, [], found

    def _kill(self, at: str, killed: re.Match[str], sizes: Iterable[str | None]) -> Event:
        said = self._said if self._said.get("pid", killed[2]) == killed[2] else {}
        event = _event(at, killed, sizes, said or self._group)
        if said:
            self._group = {
                name: said[name] for name in ("oom_group", "task_group", "constraint", "limit") if name in said
            }
        self._named.append((int(killed[2]), killed[4] or ""))
        self._said = {}
        return event

    def _is_named_again(self, killed: re.Match[str]) -> bool:
        """Whether a process is named once more, maybe by a thread: in a group that is killed as a whole some are.

        Its address space tells. Workers that are alike to the byte may be taken for one; all of them are killed.
        """
        if self._said or not self._group:
            return False
        return any(killed[4] == size and 0 <= int(killed[2]) - pid < _THREADS for pid, size in self._named)


def is_about(event: Event, pid: int, chain: Sequence[str]) -> bool:
    """Whether a kill concerns a process: it was the victim, or a limit fired that binds it too, or in its own group.

    `chain` are the paths of its group and the groups above it, as the kernel spells them, its own first. A kill in a
    group beside it, by that group's own limit, does not concern it. The root group holds everybody: it tells nothing.
    """
    labels = event.labels
    told = labels.get("task_group", labels.get("group", ""))
    own = chain[0] if chain else ""
    if labels.get("pid") == str(pid) and (not told or own in {"", "/"} or _is_within(told, own)):
        return True
    if labels.get("oom_group", "/") in {group for group in chain if group != "/"}:
        return True
    return own not in {"", "/"} and bool(told) and _is_within(told, own)


def _is_within(group: str, outer: str) -> bool:
    return group == outer or group.startswith(f"{outer.rstrip('/')}/")


def _gather(said: dict[str, str], text: str) -> dict[str, str]:
    """Return what is known of the kill that is being told, with one more line of it."""
    asked = _ASKED.search(text) if "invoked oom-killer" in text else None
    if asked is not None:
        return {"asked_by": _printable(asked[1])}
    if "oom-kill:" in text:
        return said | _summary(text)
    old = _OLD_GROUPS.search(text)
    if old is not None:
        return said | {"task_group": _printable(old[1]), "oom_group": _printable(old[2])}
    usage = _USAGE.search(text)
    if usage is not None:
        used, limit = (str(int(size) * _KIB) for size in usage.groups()[:2])
        return said | {"usage": used, "limit": limit, "max_hits": usage[3]}
    if "usage" not in said:
        return said
    stats = {_STAT_LABELS[name]: str(int(size)) for name, size in _STAT.findall(text)}  # one record may hold them all
    return said | stats if stats else said


def _summary(text: str) -> dict[str, str]:
    match = _SUMMARY.search(text)
    if match is None:
        return {}
    constraint, between, task, pid = match.groups()
    said = {"constraint": constraint, "task": _printable(task), "pid": pid}
    group, task_group = _groups(between)
    if group:
        said["oom_group"] = _printable(group)
    if task_group:
        said["task_group"] = _printable(task_group)
    return said


def _groups(between: str) -> tuple[str, str]:
    """Return whose limit fired and the victim's group, which lies in it: names may spell what looks like another."""
    _, has_limit, rest = between.partition(_OOM_GROUP)
    if not has_limit:
        return "", between.rpartition(_TASK_GROUP)[2] if _TASK_GROUP in between else ""
    parts = rest.split(_TASK_GROUP)
    for count in range(1, len(parts)):
        group, task_group = _TASK_GROUP.join(parts[:count]), _TASK_GROUP.join(parts[count:])
        if _is_within(task_group, group):
            return group, task_group
    return parts[0], _TASK_GROUP.join(parts[1:])


def _event(at: str, killed: re.Match[str], sizes: Iterable[str | None], said: dict[str, str]) -> Event:
    whose, pid, name = killed.groups()[:3]
    labels = {**said, "pid": pid, "task": said.get("task", _printable(name))}
    labels |= {key: str(int(size) * _KIB) for key, size in zip(_SIZES, sizes, strict=False) if size}
    labels.setdefault("constraint", "CONSTRAINT_MEMCG" if whose.startswith("Memory cgroup") else "CONSTRAINT_NONE")
    if labels["constraint"] == "CONSTRAINT_MEMCG":
        where = f"as {labels['oom_group']} reached its limit" if "oom_group" in labels else "at its group's limit"
        where += f" of {int(labels['limit']) >> 20} MiB" if "limit" in labels else ""
    else:
        where = "as the machine was out of memory"
    size = f" with {int(labels['anon_rss']) >> 20} MiB of anonymous memory" if "anon_rss" in labels else ""
    return Event(
        EventKind.OOM_KILL, at, f"The kernel killed {labels['task']} (pid {pid}){size}, {where}.", WITNESS, labels
    )


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name)
