"""Things that happened to a process at a moment: kills, exits, restarts, crashes, pressure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class EventKind(StrEnum):
    """What happened. The labels that each kind may carry stand behind it."""

    # kernel log: constraint, oom_group, task_group, task, pid, anon_rss, file_rss, shmem_rss, total_vm; asked_by (who
    # needed the memory), and of the group whose limit fired: limit, usage, max_hits, group_anon, group_file,
    # group_shmem, group_kernel
    OOM_KILL = "oom-kill"
    OOM_COUNTED = "oom-counted"  # a group's counter of kills rose: group, kills
    EXIT = "exit"  # pid, code or signal ("9"), known = "yes" where it was seen rather than concluded
    RESTART = "restart"  # old_pid, new_pid, where they are known
    # Kubernetes' last state: reason ("OOMKilled"), exit_code, signal, container, chosen = "yes" for the one judged,
    # restarts, message, started
    TERMINATED = "terminated"
    PROBE_FAILED = "probe-failed"  # Kubernetes' events: probe ("liveness"), message, container, count, killed = "yes"
    EVICTED = "evicted"  # reason, message, resource, container, usage, request, available (bytes)
    # last words: reason (its "fatal error", without prefix), about ("memory", "stack", "threads", "other"), error
    # (an errno's name), goroutine, function, place, depth (frames), signal; where said: limit (bytes of a stack, or
    # threads), asked and in_use (bytes of the heap), stack (bytes), threads
    CRASH = "crash"
    LIMIT_CHANGED = "limit-changed"  # old, new (bytes), group
    PRESSURE = "pressure"  # the group was throttled or hit its limit, or waited: high_hits, max_hits, waiting (a share)
    CLOCK = "clock"  # the wall clock jumped: seconds
    HELD = "held"  # the recorder held the group at its limit: group
    # of a large neighbour: neighbour (its name), pid, rss, group; of shared memory: segment (its name), device, inode,
    # size
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `at` is RFC 3339 UTC ("" = unknown), `text` one sentence, `witness` who says so.

    `labels` are small texts for judging; sizes in bytes as plain decimal numbers.
    """

    kind: EventKind
    at: str
    text: str
    witness: str
    labels: Mapping[str, str] = field(default_factory=dict)
