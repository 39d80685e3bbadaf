from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from whyheap.errors import UsageError
from whyheap.model.profile import HeapProfile
from whyheap.parse.pprof import parse_profile
from whyheap.parse.pprof_columns import decode_columns
from whyheap.parse.profile_math import flat_and_cumulative
from whyheap.report.to_folded import to_folded
from whyheap.report.to_pprof import to_pprof
from whyheap.report.to_speedscope import to_speedscope

RECORDED = Path(__file__).parents[1] / "recorded" / "profiles"
HEAPS = sorted(RECORDED.glob("go*/heap.pb.gz"))
COLUMNS = ("inuse_space", "inuse_objects", "alloc_space", "alloc_objects")


def plain(profile: HeapProfile) -> dict[str, Any]:
    def as_list(column: Any) -> Any:
        return column.tolist() if hasattr(column, "tolist") else column

    shown = {name: as_list(getattr(profile, name)) for name in HeapProfile.__slots__}
    shown["values"] = {name: as_list(column) for name, column in profile.values.items()}
    return shown


@pytest.mark.parametrize("path", HEAPS, ids=lambda path: path.parent.name)
def test_pprof_round_trips(path: Path) -> None:
    body = path.read_bytes()
    written = to_pprof(parse_profile(body))
    assert plain(parse_profile(written)) == plain(parse_profile(body))
    assert written == to_pprof(decode_columns([gzip.decompress(body)]))


def test_a_text_profile_can_be_written_as_pprof() -> None:
    text = parse_profile(HEAPS[0].with_name("heap.txt").read_bytes())
    assert plain(parse_profile(to_pprof(text))) == plain(text)


@pytest.mark.live
def test_go_tool_pprof_reads_what_is_written(tmp_path: Path) -> None:
    go = shutil.which("go")
    if go is None:
        pytest.skip("no Go on PATH")
    written = tmp_path / "heap.pb.gz"
    written.write_bytes(to_pprof(parse_profile(HEAPS[-1].read_bytes())))
    for column in COLUMNS:
        command = [go, "tool", "pprof", "-top", "-unit=B", "-nodefraction=0", "-nodecount=0", "-edgefraction=0"]
        top = subprocess.run(
            [*command, f"-sample_index={column}", str(written)], capture_output=True, text=True, check=True, timeout=120
        )
        wanted = HEAPS[-1].with_name(f"heap.{column}.top.txt").read_text(encoding="utf-8")
        assert top.stdout.splitlines()[4:] == wanted.splitlines()[4:]  # after file, build ID, type and time
        assert "ymbolization" not in top.stderr


def test_folded_stacks_sum_to_the_profile() -> None:
    profile = parse_profile(HEAPS[-1].read_bytes())
    for column in COLUMNS:
        lines = to_folded(profile, column).decode().splitlines()
        stacks = {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in lines}
        assert len(stacks) == len(lines)
        assert sum(stacks.values()) == sum(profile.values[column])
        leaves: dict[str, int] = {}
        for stack, value in stacks.items():
            leaf = stack.rpartition(";")[2]
            leaves[leaf] = leaves.get(leaf, 0) + value
        assert leaves == {name: flat for name, (flat, _) in flat_and_cumulative(profile, column).items() if flat}
    assert to_folded(profile) == to_folded(profile, "inuse_space")
    assert "runtime.main;main.main;main.fill;main.fresh " in to_folded(profile).decode()


def test_an_unknown_column_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no column cpu"):
        to_folded(parse_profile(HEAPS[0].read_bytes()), "cpu")


def test_separators_in_names_stay_within_their_frame() -> None:
    text = b"heap profile: 1: 8 [1: 8] @ heap/2\n1: 8 [1: 8] @ 0x1\n#\t0x1\ta;b c+0x1\tm.go:3\n#\t0x9\td+0x1\tm.go:4\n"
    assert to_folded(parse_profile(text)) == b"d;a:b c 8\n"


def test_bare_addresses_are_frames() -> None:
    text = parse_profile(b"heap profile: 1: 8 [1: 8] @ heap/2\n1: 8 [1: 8] @ 0x1f 0x2f\n")
    assert to_folded(text) == b"0x2f;0x1f 8\n"
    assert [frame["name"] for frame in msgspec.json.decode(to_speedscope(text))["shared"]["frames"]] == ["0x2f", "0x1f"]


def test_speedscope_has_the_shape_of_its_schema() -> None:
    # https://www.speedscope.app/file-format-schema.json: File, SampledProfile, Frame
    profile = parse_profile(HEAPS[-1].read_bytes())
    document = msgspec.json.decode(to_speedscope(profile, "shop"))
    assert set(document) <= {"$schema", "exporter", "name", "activeProfileIndex", "shared", "profiles"}
    assert document["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    frames = document["shared"]["frames"]
    assert all(set(frame) <= {"name", "file", "line", "col"} and isinstance(frame["name"], str) for frame in frames)
    assert [each["name"] for each in document["profiles"]] == [
        "inuse_space",
        "alloc_space",
        "inuse_objects",
        "alloc_objects",
    ]
    for each in document["profiles"]:
        assert set(each) == {"type", "name", "unit", "startValue", "endValue", "samples", "weights"}
        assert each["type"] == "sampled"
        assert each["unit"] in {"none", "nanoseconds", "microseconds", "milliseconds", "seconds", "bytes"}
        assert len(each["samples"]) == len(each["weights"])
        assert each["endValue"] - each["startValue"] == sum(each["weights"]) == sum(profile.values[each["name"]])
        assert all(0 <= frame < len(frames) for sample in each["samples"] for frame in sample)
    stacks = [[frames[index]["name"] for index in stack] for stack in document["profiles"][0]["samples"]]
    assert ["runtime.main", "main.main", "main.fill", "main.fresh"] in stacks  # root first
