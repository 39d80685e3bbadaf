from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyheap.collect.log_text import MOST_COLLECTIONS, read_log, series_from_lines
from whyheap.collect.runtime_sample import samples_from_gauges
from whyheap.errors import FormatError, TargetError
from whyheap.host.log_file import LogFile
from whyheap.model.event import EventKind

RECORDED = Path(__file__).parents[1] / "recorded" / "crash" / "1.27.3"
MIB = 1 << 20
WRITTEN = 1_714_533_120.0  # 2024-05-01T03:12:00Z


def line(number: int, seconds: float, before: int = 45, marked: int = 23, goal: int = 47) -> str:
    return (
        f"gc {number} @{seconds:.3f}s 5%: 0.01+1.2+0.002 ms clock, 0.03+0.5/0.9/0+0.005 ms cpu, "
        f"{before}->{before}->{marked} MB, {goal} MB goal, 2 MB stacks, 1 MB globals, 2 P"
    )


def test_each_collection_is_two_moments_and_the_file_gives_the_clock(tmp_path: Path) -> None:
    log = tmp_path / "shop.log"
    log.write_text(f"started\n{line(1, 1.0)}\nserved\n{line(2, 11.0, 60, 30, 48)}\n")
    os.utime(log, (WRITTEN, WRITTEN))
    series = read_log(log)
    before, after, later, last = series.samples
    assert before.values == {
        "num_gc": 0,
        "heap_alloc": 45 * MIB,
        "heap_goal": 47 * MIB,
        "gc_cpu": 0.05,
        "stack_scan": 2 * MIB,
        "globals_scan": MIB,
    }
    assert (after.values["num_gc"], after.values["heap_marked"], after.values["heap_alloc"]) == (1, 23 * MIB, 23 * MIB)
    assert "heap_goal" not in after.values
    assert later.seconds - before.seconds == pytest.approx(10)
    assert last.at == "2024-05-01T03:12:00.000Z"
    assert not series.gaps


def test_a_collectors_times_go_before_the_files(tmp_path: Path) -> None:
    log = tmp_path / "shop.log"
    log.write_text(f"2024-04-30T00:00:10Z stderr F {line(1, 1.0)}\n2024-04-30T00:00:20Z stderr F {line(2, 11.0)}\n")
    assert read_log(log).samples[-1].at == "2024-04-30T00:00:20.000Z"


def test_moments_survive_being_saved_as_gauges() -> None:
    series = series_from_lines([line(number, 1 + number / 1000) for number in range(1, 200)], WRITTEN)
    assert len(samples_from_gauges(series.gauges)) == len(series.samples) == 398
    assert [sample.seconds for sample in series.samples] == sorted(sample.seconds for sample in series.samples)


def test_a_log_with_collections_a_crash_and_the_next_process() -> None:
    crash = (RECORDED / "address_space.txt").read_text().splitlines()
    lines = [line(1, 1.0), line(2, 5.0), *crash, "exit status 2", line(1, 0.5), line(2, 0.6)]
    series = series_from_lines(lines, WRITTEN)
    assert [event.kind for event in series.events] == [EventKind.CRASH, EventKind.RESTART]
    died, restarted = series.events
    dying = series.samples[4]
    assert dying.at == died.at < restarted.at == series.samples[5].at
    assert dying.values == {"goroutines": 3, "heap_sys": 398196736}
    assert dying.goroutines[0].count == 2
    assert [sample.values.get("num_gc") for sample in series.samples] == [0, 1, 1, 2, None, 0, 1, 1, 2]


def test_dockers_json_and_spelling(tmp_path: Path) -> None:
    log = tmp_path / "shop-json.log"
    crash = (RECORDED / "deep_recursion.txt").read_text().splitlines()
    time = "2024-05-01T03:12:00.5Z"
    log.write_text(
        "\n".join(json.dumps({"log": text + "\n", "time": time}, separators=(",", ":")) for text in crash) + "\n"
    )
    series = read_log(log, spell=lambda file: file.removeprefix("./"))
    (event,) = series.events
    assert (event.at, event.labels["place"]) == ("2024-05-01T03:12:00.500Z", "main.go:8")


def test_very_many_collections_are_thinned_and_peaks_stay() -> None:
    count = 3 * MOST_COLLECTIONS
    lines = [line(number, number, 900 if number == 777 else 45) for number in range(1, count + 1)]
    series = series_from_lines(lines, WRITTEN)
    assert len(series.samples) <= 4 * MOST_COLLECTIONS + 2
    assert max(sample.values["heap_alloc"] for sample in series.samples) == 900 * MIB
    assert series.samples[-1].values["num_gc"] == count
    assert "one in 2 was kept" in series.gaps[0].reason


def test_a_large_file_is_read_from_its_end_and_a_gap_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "shop.log"
    with log.open("w") as stream:
        stream.write(line(1, 1.0) + "\n")
        stream.write(("x" * 1023 + "\n") * 3072)
        stream.write(line(2, 5.0) + "\n")
    monkeypatch.setattr(LogFile.lines, "__defaults__", (1 << 20,))
    series = read_log(log)
    assert [sample.values["num_gc"] for sample in series.samples] == [1, 2]
    assert "its first 2 MiB were not read" in series.gaps[0].reason


def test_a_compressed_log_is_inflated_within_bounds(tmp_path: Path) -> None:
    log = tmp_path / "shop.log.gz"
    log.write_bytes(gzip.compress(f"{line(1, 1.0)}\n".encode()))
    assert len(read_log(log).samples) == 2
    log.write_bytes(gzip.compress(f"{line(1, 1.0)}\n".encode() * 2000)[:-20])
    assert any("not read to its end" in gap.reason for gap in read_log(log).gaps)
    assert len(list(LogFile(log).lines(most_bytes=1000))) < 20


def test_torn_lines_and_goroutines_without_a_beginning_are_told() -> None:
    lines = [line(1, 1.0), line(2, 3.0)[:70] + "level=info"]
    assert "1 lines of gctrace were torn apart" in series_from_lines(lines, WRITTEN).gaps[0].reason
    text = (RECORDED / "address_space.txt").read_text()
    series = series_from_lines(text[text.index("goroutine 3 ") :].splitlines(), WRITTEN)
    assert "the words before them are missing" in series.gaps[0].reason


def test_the_kernels_lines_in_the_same_log() -> None:
    killed = (
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/shop,task_memcg=/shop/a,task=shop,pid=7,uid=0\n"
        "Memory cgroup out of memory: Killed process 7 (shop) total-vm:9000kB, anon-rss:8000kB, file-rss:1kB, "
        "shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0"
    )
    lines = [f"2024-05-01T03:12:00+0000 node-1 kernel: {said}" for said in killed.split("\n")]
    lines.insert(0, f"2024-05-01T03:11:50+0000 node-1 shop[7]: {line(1, 1.0)}")
    series = series_from_lines(lines, WRITTEN)
    assert len(series.samples) == 2
    (kill,) = series.events
    assert kill.kind is EventKind.OOM_KILL
    assert (kill.at, kill.labels["oom_group"], kill.labels["pid"]) == ("2024-05-01T03:12:00.000Z", "/shop", "7")


def test_a_log_without_memory_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "shop.log"
    log.write_text("served 1\nserved 2\n")
    with pytest.raises(FormatError, match="says nothing of a Go process's memory"):
        read_log(log)
    log.write_text("")
    with pytest.raises(FormatError, match="is empty") as caught:
        read_log(log)
    assert "profile" not in caught.value.hint
    with pytest.raises(TargetError, match="does not exist"):
        read_log(tmp_path / "none.log")
    with pytest.raises(TargetError, match="cannot be read"):
        read_log(tmp_path)


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=60),
            st.builds(line, st.integers(0, 5), st.floats(0, 1e9), st.integers(0, 10**8), st.integers(0, 10**8)),
            st.sampled_from((RECORDED / "address_space.txt").read_text().splitlines()[:12]),
        ),
        max_size=30,
    ),
    st.floats(0, 4e9),
)
def test_any_lines_give_moments_in_order(lines: list[str], written: float) -> None:
    series = series_from_lines(lines, written)
    seconds = [sample.seconds for sample in series.samples]
    assert seconds == sorted(seconds)
