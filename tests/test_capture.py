"""A capture comes back as it was saved; whatever else stands in the file, the only error is one of ours."""

from __future__ import annotations

import re
import sqlite3
import tempfile
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whyheap import capture as capture_module
from whyheap.capture import SCHEMA, Capture, load_capture, save_capture
from whyheap.errors import FormatError, TargetError, WhyheapError
from whyheap.model.facts import CompilerFact, FactKind, Flow, FlowStep, GoroutineGroup
from whyheap.model.gauge import Gap, Gauge, Origin
from whyheap.model.scan import Scan, ScannedPackage
from whyheap.model.site import Position, Site

AT = "2026-01-02T03:04:05Z"
FACT = CompilerFact(
    FactKind.HEAP,
    Position("a.go", 1, 2),
    "F",
    "example.com/a",
    "x escapes to heap",
    "x",
    Position("b.go", 3, 4),
    (Position("a.go", 1, 2),),
    (Flow("{heap}", "&x", (FlowStep("x", "spill", "a.go", 1, 2),)),),
)
ORIGIN = Origin("compiler", "go1.27.3", "go list", "./...", AT)
SCAN = Scan(
    "/m",
    "example.com/a",
    "go1.27.3",
    "linux",
    "amd64",
    (
        ScannedPackage("example.com/a", "/m", ("a.go", "b.go"), is_program=True, facts=(FACT,), unknown=2),
        ScannedPackage("example.com/a/broken", "/m/broken", error="broken.go:1:1: expected 'package'"),
    ),
    ORIGIN,
    "key",
    (Gap("compiler", "reason", "hint"),),
)
FULL = Capture(
    targets=("./...", "http://127.0.0.1:6060"),
    at=AT,
    scan=SCAN,
    profiles=(b"first", b"\x00" * 5000),
    window_seconds=10.5,
    gauges=(Gauge("rss", 1e9, "bytes", AT),),
    goroutines={AT: (GoroutineGroup(3, "chan receive", (Site("a.go", 9, 0, "loop", "example.com/a"),)),)},
    limit_name="cgroup v2 /shop",
    pid=4242,
    sources={"a.go": "package a\n", "b.go": "caf\udce9 \u4e16\n"},
    origins=(ORIGIN,),
    gaps=(Gap("runtime", "no GOGC"),),
)


def written(path: Path, capture: Capture = FULL) -> Path:
    path.write_bytes(save_capture(capture, "0.1.0"))
    return path


def change(path: Path, statement: str, *values: object) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.execute(statement, values)
        database.commit()
    return path


@pytest.mark.parametrize("capture", [FULL, Capture((), AT), Capture(("x.pb.gz",), AT, profiles=(b"p",))])
def test_round_trip(capture: Capture, tmp_path: Path) -> None:
    path = written(tmp_path / "x.whyheap", capture)
    assert load_capture(path) == capture
    assert [file.name for file in tmp_path.iterdir()] == ["x.whyheap"], "reading leaves nothing beside it"


def test_the_same_capture_gives_the_same_bytes() -> None:
    assert save_capture(FULL, "0.1.0") == save_capture(FULL, "0.1.0")


def test_names_with_odd_characters(tmp_path: Path) -> None:
    assert load_capture(written(tmp_path / "a b?mode=rwc#%41.whyheap")) == FULL


def test_a_read_only_file_in_a_read_only_folder(tmp_path: Path) -> None:
    path = written(tmp_path / "x.whyheap")
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert load_capture(path) == FULL
    finally:
        tmp_path.chmod(0o700)


def test_a_newer_schema_says_so(tmp_path: Path) -> None:
    path = change(written(tmp_path / "x.whyheap"), "update meta set value = ? where key = 'schema'", str(SCHEMA + 1))
    with pytest.raises(FormatError, match=f"schema {SCHEMA + 1}") as caught:
        load_capture(path)
    assert "newer whyheap" in caught.value.hint


@pytest.mark.parametrize("schema", ["", "x", "0", "-1", "1" * 5000, "²"])
def test_a_schema_that_is_no_number(schema: str, tmp_path: Path) -> None:
    path = change(written(tmp_path / "x.whyheap"), "update meta set value = ? where key = 'schema'", schema)
    with pytest.raises(FormatError):
        load_capture(path)


def test_a_foreign_database(tmp_path: Path) -> None:
    path = tmp_path / "x.whyheap"
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table t (x)")
        database.commit()
    with pytest.raises(FormatError, match="not a capture"):
        load_capture(path)


@pytest.mark.parametrize(
    "data", [b"", b"x", b"SQLite format 3", b"SQLite format 3\0", b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_files_that_are_no_databases(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.whyheap"
    path.write_bytes(data)
    with pytest.raises(FormatError):
        load_capture(path)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.whyheap", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(TargetError):
            load_capture(path)


@pytest.mark.parametrize("kind", ["head", "profile", "source"])
def test_a_value_that_only_exists_to_fill_memory(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_module, "_RATIO_FROM_BYTES", 1 << 20)
    path = written(tmp_path / "x.whyheap")
    bomb = zlib.compress(b"\0" * (1 << 24), 9)
    with pytest.raises(FormatError, match="unpack to more"):
        load_capture(change(path, "update items set data = ? where kind = ?", bomb, kind))


def test_many_values_are_bounded_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_module, "_RATIO_FROM_BYTES", 1 << 20)
    path = written(tmp_path / "x.whyheap")
    piece = zlib.compress(b"\0" * (1 << 20), 9)
    with closing(sqlite3.connect(path)) as database:
        rows = [("profile", position, "", piece) for position in range(2, 60)]
        database.executemany("insert into items values (?, ?, ?, ?)", rows)
        database.commit()
    with pytest.raises(FormatError, match="unpack to more"):
        load_capture(path)


def test_a_value_that_is_cut_short(tmp_path: Path) -> None:
    cut = zlib.compress(b"a profile" * 100)[:-6]
    with pytest.raises(FormatError, match="cut short"):
        load_capture(change(written(tmp_path / "x.whyheap"), "update items set data = ? where kind = 'profile'", cut))


@pytest.mark.parametrize(
    "statement",
    [
        "update items set data = 'text' where kind = 'head'",
        "update items set name = x'00' where kind = 'source'",
        "update items set data = x'00' where kind = 'package'",
        "update items set data = zeroblob(0) where kind = 'profile'",
        "delete from items where kind = 'head'",
        "delete from meta",
        "drop table items",
        "drop table meta",
        "update meta set value = x'ff'",
        "pragma application_id = 0",
        "insert into items values ('gauges', 1, '', x'789c4b04000062006200')",
    ],
)
def test_what_is_not_as_we_write_it_is_refused(statement: str, tmp_path: Path) -> None:
    path = change(written(tmp_path / "x.whyheap"), statement)
    with pytest.raises(FormatError):
        load_capture(path)


def test_a_view_in_place_of_a_table_runs_no_code(tmp_path: Path) -> None:
    path = written(tmp_path / "x.whyheap")
    with closing(sqlite3.connect(path)) as database:
        database.execute("alter table items rename to real")
        database.execute(
            "create view items as with recursive n(i) as (select 1 union all select i + 1 from n) "
            "select 'head' as kind, i as position, '' as name, x'00' as data from n"
        )
        database.commit()
    with pytest.raises(FormatError):
        load_capture(path)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), 1e300])
def test_numbers_that_are_not_finite_are_refused(value: float, tmp_path: Path) -> None:
    gauges = (Gauge("rss", value, "bytes", AT),)
    for capture in (replace(FULL, gauges=gauges), replace(FULL, window_seconds=value)):
        with pytest.raises(FormatError, match="damaged"):
            load_capture(written(tmp_path / "x.whyheap", capture))


def test_a_window_is_not_negative(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="window"):
        load_capture(written(tmp_path / "x.whyheap", replace(FULL, window_seconds=-1.0)))


def test_values_of_another_shape_are_refused(tmp_path: Path) -> None:
    value = zlib.compress(msgspec.msgpack.encode({"targets": 3}))
    path = change(written(tmp_path / "x.whyheap"), "update items set data = ? where kind = 'head'", value)
    with pytest.raises(FormatError):
        load_capture(path)


WHOLE = save_capture(FULL, "0.1.0")
slow = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def load_bytes(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.whyheap")
        path.write_bytes(data)
        said = ""
        try:
            load_capture(path)
        except WhyheapError as error:
            said = error.message
        assert "\n" not in said


@slow
@given(st.integers(0, len(WHOLE) - 1))
def test_truncated_anywhere(length: int) -> None:
    load_bytes(WHOLE[:length])


@slow
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4))
def test_damaged_anywhere(damage: list[tuple[int, bytes]]) -> None:
    data = bytearray(WHOLE)
    for place, change_ in damage:
        data[place : place + len(change_)] = change_
    load_bytes(bytes(data))


def test_a_name_that_is_no_utf_8() -> None:
    places = [found.start() for found in re.finditer(b"tool", WHOLE)]
    assert places
    for place in places:
        load_bytes(WHOLE[:place] + b"\x80" + WHOLE[place + 1 :])


@slow
@given(st.binary(max_size=600))
def test_arbitrary_bytes(data: bytes) -> None:
    load_bytes(data)
    load_bytes(WHOLE[:16] + data)
