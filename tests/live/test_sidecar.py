"""A reader in a container of its own reads the group of its target, and not its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from whyheap.host.memory_group import MemoryGroup, group_version, memory_group

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may make namespaces"),
    pytest.mark.timeout(60),
]
MIB = 1 << 20
READ = """
import json, sys
from whyheap.collect.local_process import open_local_process
process = open_local_process(int(sys.argv[1]))
values = process.read()
print(json.dumps([process.limit_name, values, [gap.reason for gap in process.gaps]]))
"""
ENTER = """
echo $$ > "$1"
exec unshare --cgroup --mount sh -c '
umount "$1" && mount -t "$2" -o "$3" none "$1" || exit 1
shift 3
exec "$@"
' sh "$2" "$3" "$4" "${@:5}"
"""


def contained(group: MemoryGroup, *command: str) -> list[str]:
    """Return a command that runs in a group, with cgroup and mount namespaces of its own that show nothing else."""
    kind = ("cgroup", "memory") if group.version == 1 else ("cgroup2", "rw")
    mount = str(group.folder.parent)
    return ["bash", "-c", ENTER, "contained", str(group.procs), mount, *kind, *command]


@contextmanager
def running(group: MemoryGroup) -> Iterator[int]:
    with subprocess.Popen(contained(group, "sleep", "60")) as process:
        try:
            deadline = time.monotonic() + 10
            while Path(f"/proc/{process.pid}/comm").read_text() != "sleep\n":
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield process.pid
        finally:
            process.kill()


@pytest.mark.skipif(group_version() is None, reason="no memory group can be made here")
def test_the_targets_limit_is_read_and_not_the_readers() -> None:
    with memory_group(200 * MIB) as targets, memory_group(150 * MIB) as readers, running(targets) as pid:
        command = contained(readers, sys.executable, "-c", READ, str(pid))
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        limit_name, values, gaps = json.loads(done.stdout)
    assert values["container_limit"] == 200 * MIB
    assert values["container_charge"] < 20 * MIB  # the reader's own is larger
    assert values["container_processes"] == 1
    assert limit_name.startswith("cgroup v")
    assert gaps == []
