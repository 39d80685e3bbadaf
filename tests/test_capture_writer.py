"""What a recorder left when it was killed is read, changed by nobody, and distrusted."""

from __future__ import annotations

import os
import signal
import sqlite3
import struct
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from whyheap.capture import Capture, load_capture
from whyheap.capture_writer import CaptureWriter
from whyheap.errors import FormatError, OutputError, TargetError
from whyheap.model.event import Event, EventKind
from whyheap.model.gauge import Gauge

AT = "2026-01-01T00:00:00Z"
HEAD = Capture(("pid:7",), AT)
JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
KILLED_WHILE_IT_WRITES = """
import os, sys
from pathlib import Path
from whyheap.capture import Capture
from whyheap.capture_writer import CaptureWriter
from whyheap.model.gauge import Gauge
writer = CaptureWriter(Path(sys.argv[1]), Capture(("pid:7",), "2026-01-01T00:00:00Z"), "0")
for second in range(30):
    gauge = Gauge("rss", 1.0, "bytes", f"2026-01-01T00:00:{second:02}Z")
    writer.add([gauge], profile=(gauge.at, os.urandom(3000)))
database = writer._database
database.execute("pragma cache_size = 5")  # pages are written to the file before the end of the transaction
database.execute("begin immediate")
database.execute("delete from items where kind = 'profile'")
rows = [("profile", 1000 + number, "", os.urandom(9000)) for number in range(100)]
database.executemany("insert into items values (?, ?, ?, ?)", rows)
os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module")
def half_written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of 30 samples whose recorder was killed in the middle of a transaction."""
    path = tmp_path_factory.mktemp("half") / "x.whyheap"
    done = subprocess.run([sys.executable, "-c", KILLED_WHILE_IT_WRITES, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    return path


def copy_of(half_written: Path, folder: Path, more_journal: bytes = b"") -> Path:
    path = folder / "x.whyheap"
    path.write_bytes(half_written.read_bytes())
    journal = half_written.with_name("x.whyheap-journal").read_bytes()
    path.with_name("x.whyheap-journal").write_bytes(journal + more_journal)
    return path


def test_a_half_written_sample_is_undone_in_a_copy(half_written: Path, tmp_path: Path) -> None:
    path = copy_of(half_written, tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    capture = load_capture(path)
    assert len(capture.gauges) == len(capture.profiles) == 30
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_half_written_sample_is_undone_also_where_nothing_may_be_written(half_written: Path, tmp_path: Path) -> None:
    path = copy_of(half_written, tmp_path)
    tmp_path.chmod(0o500)
    try:
        assert len(load_capture(path).profiles) == 30
    finally:
        tmp_path.chmod(0o700)


def test_a_journal_never_makes_sqlite_delete_another_file(half_written: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"text")  # taken for a list of journals that are not there: SQLite would delete it
    name = str(precious).encode()
    checksum = sum(struct.pack(f"{len(name)}b", *name)) & 0xFFFFFFFF
    # page number of the lock byte, name, its length and checksum, magic: SQLite's pager.c, writeSuperJournal
    record = struct.pack(">I", 0x40000000 // 4096 + 1) + name + struct.pack(">II", len(name), checksum) + JOURNAL_MAGIC
    path = copy_of(half_written, tmp_path, record)
    with pytest.raises(FormatError, match="damaged"):
        load_capture(path)
    assert precious.exists()


def test_a_journal_larger_than_its_capture_is_refused(half_written: Path, tmp_path: Path) -> None:
    path = copy_of(half_written, tmp_path)
    os.truncate(path.with_name("x.whyheap-journal"), 1 << 34)
    with pytest.raises(FormatError, match="damaged"):
        load_capture(path)


def test_a_capture_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    writer = CaptureWriter(tmp_path / "x.whyheap", HEAD, "0")
    for second in range(5):
        writer.add([Gauge("rss", 1.0, "bytes", f"2026-01-01T00:00:0{second}Z")])
        assert len(load_capture(tmp_path / "x.whyheap").gauges) == second + 1
    writer.close()


def test_a_capture_that_another_holds_is_said_to_be_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.whyheap"
    CaptureWriter(path, HEAD, "0").close()
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", partial(connect, timeout=0.01))
    with closing(connect(path)) as other:
        other.execute("begin exclusive")
        with pytest.raises(TargetError, match="being written"):
            load_capture(path)


def test_the_file_is_readable_by_its_owner_only_and_whole_from_the_start(tmp_path: Path) -> None:
    writer = CaptureWriter(tmp_path / "x.whyheap", HEAD, "0")
    assert (tmp_path / "x.whyheap").stat().st_mode & 0o777 == 0o600
    assert load_capture(tmp_path / "x.whyheap") == HEAD
    assert [file.name for file in tmp_path.iterdir()] == ["x.whyheap"]
    writer.close()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file"):
        CaptureWriter(tmp_path / "none" / "x.whyheap", HEAD, "0")


def test_events_alone_stay_within_the_size_too(tmp_path: Path) -> None:
    path = tmp_path / "x.whyheap"
    writer = CaptureWriter(path, HEAD, "0", 1 << 20)
    for number in range(300):
        text = os.urandom(4000).hex()
        writer.add(events=[Event(EventKind.NOTE, AT, f"{number} {text}", "test")])
    writer.close()
    assert path.stat().st_size <= 1 << 20
    assert load_capture(path).events[-1].text.startswith("299 ")


def test_a_sample_that_is_larger_than_the_file_may_be_is_kept_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.whyheap"
    writer = CaptureWriter(path, HEAD, "0", 1 << 20)
    for second in range(3):
        writer.add([Gauge("rss", 1.0, "bytes", f"2026-01-01T00:00:0{second}Z")], profile=(AT, os.urandom(2 << 20)))
    writer.close()
    assert load_capture(path).profiles


@pytest.mark.parametrize("age", [0, 3])
def test_what_is_older_than_a_mark_is_forgotten_but_the_first_profile(age: int, tmp_path: Path) -> None:
    path = tmp_path / "x.whyheap"
    writer = CaptureWriter(path, HEAD, "0")
    marks = []
    for second in range(6):
        marks.append(writer.mark())
        at = f"2026-01-01T00:00:0{second}Z"
        writer.add([Gauge("rss", 1.0, "bytes", at)], profile=(at, b"p"))
    writer.forget_before(marks[age])
    writer.close()
    capture = load_capture(path)
    assert len(capture.gauges) == 6 - age
    assert [at[-2] for at in capture.profile_times] == (["0", "3", "4", "5"] if age else list("012345"))
