"""A file tree that looks like /proc and a group's folder, for tests of what is read there."""

from __future__ import annotations

from pathlib import Path

MIB = 1 << 20


class Tree:
    """One v2 machine. Numbers are in MiB."""

    def __init__(self, root: Path) -> None:
        """Make it empty."""
        self.proc = root / "proc"
        self.groups = root / "groups"
        (self.proc / "self").mkdir(parents=True)
        self.groups.mkdir()
        (self.proc / "self/mountinfo").write_text(f"42 31 0:29 / {self.groups} rw - cgroup2 cgroup2 rw\n")

    def process(self, pid: int, group: str, anon: int = 0, name: str = "shop", *, started: int = 100) -> None:
        """Make a process a member of a group."""
        folder = self.proc / str(pid)
        folder.mkdir(exist_ok=True)
        (folder / "cgroup").write_text(f"0::{group}\n")
        (folder / "comm").write_text(f"{name}\n")
        (folder / "status").write_text(f"VmRSS: {anon * 1024} kB\nRssAnon: {anon * 1024} kB\nThreads: 3\n")
        (folder / "stat").write_text(f"{pid} ({name}) S {' '.join(['0'] * 18)} {started} " + " ".join(["0"] * 30))
        procs = self.groups / group.strip("/") / "cgroup.procs"
        procs.parent.mkdir(parents=True, exist_ok=True)
        members = procs.read_text() if procs.exists() else ""
        if f"{pid}\n" not in members:
            procs.write_text(f"{members}{pid}\n")

    def group(self, path: str, *, limit: int | None = None, used: int = 0, **events: int) -> None:
        """Set a group's numbers; `events` are its counters: oom_kill, max, high."""
        folder = self.groups / path.strip("/")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.max").write_text("max\n" if limit is None else f"{limit * MIB}\n")
        (folder / "memory.current").write_text(f"{used * MIB}\n")
        (folder / "memory.events").write_text("".join(f"{name} {count}\n" for name, count in events.items()))
