"""The kernel's words on a kill for memory -> events: whose limit fired, who was killed, with how much.

Format: mm/oom_kill.c (Linux 4.19 to 6.18), dump_oom_summary and __oom_kill_process:

    oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),...,oom_memcg=/a,task_memcg=/a/b,task=shop,pid=7,uid=0
    Memory cgroup out of memory: Killed process 7 (shop) total-vm:9kB, anon-rss:8kB, file-rss:1kB, shmem-rss:0kB, ...

Before Linux 4.19 there is no first line, and groups are named by "Task in /a/b killed as a result of limit of /a".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from whyheap.model.event import Event, EventKind

WITNESS = "kernel"
MOST_KILLS = 1000
_KIB = 1024
# A task's name may hold anything but a newline: what follows it is found from the end.
_SUMMARY = re.compile(r"oom-kill:constraint=([A-Z_]{1,40}),(.*),task=(.*),pid=(\d{1,10}),uid=\d+")
_GROUP = re.compile(r"(?:^|,)oom_memcg=(.*?)(?=,task_memcg=|$)")
_TASK_GROUP = re.compile(r"(?:^|,)task_memcg=(.*)$")
_OLD_GROUPS = re.compile(r"Task in (\S+) killed as a result of limit of (\S+)")
_KILLED = re.compile(
    r"(Memory cgroup out of memory|Out of memory(?: \(oom_kill_allocating_task\))?): "
    r"Kill(?:ed)? process (\d{1,10}) \((.*?)\)"
    r"(?:,? (?:UID \d+,? )?total-vm:(\d{1,18})kB, anon-rss:(\d{1,18})kB, file-rss:(\d{1,18})kB"
    r"(?:, shmem-rss:(\d{1,18})kB)?)?"
)
_GROUP_KILL = re.compile(r"Tasks in (\S+) are going to be killed due to memory\.oom\.group set")
_SIZES = ("total_vm", "anon_rss", "file_rss", "shmem_rss")


def parse_oom_log(lines: Iterable[tuple[str, str]]) -> Iterator[Event]:
    """Yield an event for each kill among (RFC 3339 UTC or "", text), at most MOST_KILLS; pass over other lines."""
    said: dict[str, str] = {}
    count = 0
    for at, text in lines:
        found = _summary(text)
        if found is not None:
            said = found
            continue
        group_kill = _GROUP_KILL.search(text)
        if group_kill is not None:
            yield Event(
                EventKind.NOTE,
                at,
                f"The kernel kills all processes of {group_kill[1]}, as memory.oom.group is set.",
                WITNESS,
                {"group": group_kill[1]},
            )
            continue
        killed = _KILLED.search(text)
        if killed is None:
            continue
        event = _event(at, killed, said if said.get("pid", killed[2]) == killed[2] else {})
        said = {}
        yield event
        count += 1
        if count >= MOST_KILLS:
            return


def is_about(event: Event, pid: int, groups: Iterable[str]) -> bool:
    """Whether a kill is of this process, or in one of these groups or below."""
    labels = event.labels
    if labels.get("pid") == str(pid):
        return True
    told = [labels[name] for name in ("oom_group", "task_group", "group") if labels.get(name)]
    return any(
        name == group or name.startswith(f"{group.rstrip('/')}/") for name in told for group in groups if group != "/"
    )


def _summary(text: str) -> dict[str, str] | None:
    match = _SUMMARY.search(text)
    if match is not None:
        constraint, between, task, pid = match.groups()
        group, task_group = _GROUP.search(between), _TASK_GROUP.search(between)
        said = {"constraint": constraint, "task": task, "pid": pid}
        if group is not None:
            said["oom_group"] = group[1]
        if task_group is not None:
            said["task_group"] = task_group[1]
        return said
    old = _OLD_GROUPS.search(text)
    return None if old is None else {"task_group": old[1], "oom_group": old[2]}


def _event(at: str, killed: re.Match[str], said: dict[str, str]) -> Event:
    whose, pid, name, *sizes = killed.groups()
    labels = {**said, "pid": pid, "task": said.get("task", name)}
    labels |= {key: str(int(size) * _KIB) for key, size in zip(_SIZES, sizes, strict=True) if size}
    labels.setdefault("constraint", "CONSTRAINT_MEMCG" if whose.startswith("Memory cgroup") else "CONSTRAINT_NONE")
    if labels["constraint"] == "CONSTRAINT_MEMCG":
        where = f"as {labels['oom_group']} reached its limit" if "oom_group" in labels else "at its group's limit"
    else:
        where = "as the machine was out of memory"
    size = f" with {int(labels['anon_rss']) >> 20} MiB of anonymous memory" if "anon_rss" in labels else ""
    return Event(EventKind.OOM_KILL, at, f"The kernel killed {name} (pid {pid}){size}, {where}.", WITNESS, labels)
