from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyheap.host.kernel_log import KernelLog, parse_record, read_journal


def test_a_record_has_a_time_and_what_was_escaped() -> None:
    record = rb"6,34564,5250000,-;task=a\x0ab\x5c \xc3\xa4" + b"\n SUBSYSTEM=x\n"
    assert parse_record(record, 100.0) == ("1970-01-01T00:01:45.250Z", "task=a\nb\\ ä")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=100) | st.builds(b"6,1,%d,-;%b".__mod__, st.tuples(st.integers(0, 1 << 80), st.binary())))
def test_garbage_is_no_record_or_text(record: bytes) -> None:
    found = parse_record(record, 1e9)
    assert found is None or isinstance(found[1], str)


def test_a_log_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    log = KernelLog(tmp_path / "none")
    assert log.error == "No such file or directory"
    assert log.read() == []
    log.close()


def test_only_what_is_written_from_now_on_is_read(tmp_path: Path) -> None:
    file = tmp_path / "kmsg"
    file.write_bytes(b"6,1,1000000,-;before\n")
    log, everything = KernelLog(file), KernelLog(file, from_start=True)
    with file.open("ab") as stream:
        stream.write(b"6,2,2000000,-;after\n")
    assert [text for _, text in log.read()] == ["after"]
    assert [text for _, text in everything.read()] == ["before"]  # a file gives all in one piece, the device does not


def test_the_device_is_read_without_waiting_or_says_why_not() -> None:
    log = KernelLog(from_start=True)
    assert log.error or all(at.startswith("20") for at, _ in log.read())
    assert len(log.read()) < 1000  # what came meanwhile


def test_without_a_journal_nothing_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_journal(0.0) == []


def test_the_journal_gives_its_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "journalctl"
    script.write_text('#!/bin/sh\necho "2026-05-01T03:12:00.000001+00:00 host kernel: $7"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert read_journal(77.9) == ["2026-05-01T03:12:00.000001+00:00 host kernel: --since=@77"]
