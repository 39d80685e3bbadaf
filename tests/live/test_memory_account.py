"""The account of real programs: parts that sum up to the same smaps read and explain it, with a census and without."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from toolchains import ROOT, environment, go, newest, oldest
from whyheap.collect.local_process import open_local_process
from whyheap.collect.pid_witness import PidWitness
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.host.limited_process import LimitedProcess, limited_process
from whyheap.host.memory_group import MemoryGroup, group_version, memory_group
from whyheap.join.memory_account import account
from whyheap.model.account import MemoryAccount
from whyheap.model.event import Event, EventKind

pytestmark = pytest.mark.live

MIB = 1 << 20
LIMIT_BYTES = 96 * MIB
LEAST_EXPLAINED = 0.95
CGO = ROOT / "src/whyheap/causes/off_heap/scenario/c_malloc"
SECONDS = 15.0


def build(source: Path, binary: Path, version: str) -> Path:
    env = environment(version, CGO_ENABLED="1") | ({} if (source / "go.mod").exists() else {"GO111MODULE": "off"})
    subprocess.run([go(version), "build", "-o", str(binary), "."], cwd=source, env=env, check=True, timeout=300)
    return binary


@contextmanager
def running(command: list[str]) -> Iterator[tuple[LimitedProcess, MemoryGroup | None]]:
    """Run a program in a group with a limit, where one can be made."""
    with ExitStack() as stack:
        group = stack.enter_context(memory_group(LIMIT_BYTES)) if group_version() is not None else None
        process = stack.enter_context(limited_process(command, group=group))
        assert process.line
        yield process, group


def looked_at(process: LimitedProcess, *, with_census: bool) -> tuple[RuntimeSample, MemoryAccount]:
    witness = PidWitness(process.pid)
    if not with_census:
        witness._local.arenas = None  # noqa: SLF001 - the heap is then told by its place
    sample = witness.sample()
    found = account(sample.values)
    assert found is not None
    assert witness.gaps == ()
    return sample, found


def check(sample: RuntimeSample, found: MemoryAccount, *, is_limited: bool) -> None:
    values = sample.values
    besides = {"smaps_rss", "smaps_pss", "smaps_huge", "smaps_go_heap_inferred"}
    classes = sum(size for name, size in values.items() if name.startswith("smaps_") and name not in besides)
    assert classes == values["smaps_rss"] == found.rss_bytes
    assert LEAST_EXPLAINED * found.rss_bytes <= found.rss_explained_bytes <= found.rss_bytes
    whole = found.rss_bytes if found.charge_bytes is None else found.charge_bytes + found.elsewhere_bytes
    assert sum(part.bytes for part in found.parts) + found.unexplained_bytes == pytest.approx(whole, abs=4)
    if is_limited:
        assert found.charge_bytes is not None
        assert (
            abs(found.unexplained_bytes) < (1 - LEAST_EXPLAINED) * whole + MIB
        )  # stat and charge are not of one moment


@pytest.mark.parametrize("version", sorted({oldest(), newest()}))
def test_a_go_service_is_explained_with_its_arenas_and_without(version: str, tmp_path: Path) -> None:
    binary = build(ROOT / "examples/oomshop", tmp_path / "oomshop", version)
    with running([str(binary), "-listen", "127.0.0.1:0", "-max-seconds", "60"]) as (process, group):
        address = process.line.split()[3]
        for number in range(300):
            with urllib.request.urlopen(f"{address}/page?path=/{number}", timeout=10) as answer:  # noqa: S310 - loopback
                answer.read()
        accounts = []
        for with_census in (True, False):
            sample, found = looked_at(process, with_census=with_census)
            check(sample, found, is_limited=group is not None)
            assert bool(sample.values.get("smaps_go_heap_inferred")) is not with_census
            accounts.append({part.slug: part.bytes for part in found.parts})
        known, inferred = accounts
        heap = {"goroutine-stacks", "free-spans", "fragments", "garbage", "live-heap"}
        assert sum(inferred.get(name, 0) for name in heap) == pytest.approx(
            sum(known.get(name, 0) for name in heap), rel=0.05
        )
        assert known.get("off-heap", 0) < MIB


def test_a_cgo_program_is_explained_and_its_kill_is_told(tmp_path: Path) -> None:
    binary = build(CGO, tmp_path / "thumbnails", newest())
    command = [str(binary), "-for", "60s", "-rate", "100", "-bytes", "65536"]  # small blocks: not mappings of their own
    with running(command) as (process, group):
        time.sleep(1.5)
        sample, found = looked_at(process, with_census=True)
        check(sample, found, is_limited=group is not None)
        parts = {part.slug: part.bytes for part in found.parts}
        assert parts["c-heap"] > 5 * MIB
        assert parts["live-heap"] < 5 * MIB
        assert parts["libraries"] > 0
        if group is not None:
            events = until_killed(process, group)
            assert {EventKind.OOM_COUNTED, EventKind.EXIT, EventKind.LIMIT_CHANGED} <= {event.kind for event in events}
            kills = [event for event in events if event.kind is EventKind.OOM_KILL]
            assert all(event.labels["pid"] == str(process.pid) for event in kills)


def until_killed(process: LimitedProcess, group: MemoryGroup) -> list[Event]:
    """Lower the limit to what is nearly used, and watch until the kernel has killed the program."""
    local = open_local_process(process.pid)
    used = local.read()["container_charge"]
    limit = "memory.limit_in_bytes" if group.version == 1 else "memory.max"
    (group.folder / limit).write_text(str(int(used) + 8 * MIB))
    events: list[Event] = []
    deadline = time.monotonic() + SECONDS
    while not any(event.kind is EventKind.EXIT for event in events):
        assert time.monotonic() < deadline
        if process.code is None:
            local.read()
        events += local.events()
        time.sleep(0.1)
    return events
