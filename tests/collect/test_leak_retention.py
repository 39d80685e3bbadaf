"""Heaps that tests wrote are read once, removed, and their leaks told; what cannot be read has its reason."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from toolchains import ROOT, newest
from whyheap.collect.leak_retention import RetentionReader
from whyheap.parse.hook_report import PackageReport, parse_hook_report

DUMP = ROOT / "tests" / "recorded" / "heap_dumps" / f"{newest()}.gz"
TRACE = (
    "goroutine {0} [select]:\nmain.hold()\n\t/src/main.go:32\ncreated by main.start in goroutine 1\n\t/src/main.go:79"
)
END = {
    "kind": "end", "exit": 0, "tests": 1, "left": 1, "children": 0, "waited_ms": 50, "heap_before": 1, "heap_after": 2,
    "stack_before": 3, "stack_after": 4, "witness": True, "too_many": False, "harmless": {},
}  # fmt: skip


def told(
    place: Path, dump: bytes | None, ids: list[int], *, name: str = "heap-7-1.dump", why: str = ""
) -> PackageReport:
    if dump is not None:
        (place / "heap-7-1.dump").write_bytes(dump)
    lines = [
        {"kind": "start", "package": "a.test/p"},
        {"kind": "goroutine", "test": "T", "how": "created", "trace": TRACE.format(ids[0]), "count": 1, "ids": ids},
        {**END, "dump": name, "undumped": why},
    ]
    (place / "report-7.jsonl").write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in lines))
    reader = RetentionReader(place, str)
    reader.read()
    reader.read()
    (report,) = parse_hook_report((place / "report-7.jsonl").read_bytes())
    reader.tell(report)
    assert not list(place.glob("*.dump"))
    return report


def test_a_leak_is_told_by_the_numbers_of_its_goroutines(tmp_path: Path) -> None:
    report = told(tmp_path, gzip.decompress(DUMP.read_bytes()), list(range(1, 100)))
    (found,) = report.retained.values()
    assert found.bytes > 1 << 20
    assert report.not_retained == "of some; they came after the heap was written"


@pytest.mark.parametrize(
    ("dump", "name", "why", "reason"),
    [
        (b"", "heap-7-1.dump", "", "its heap was not written: no room on the disk"),
        (b"go1.7 heap dump\n\1", "heap-7-1.dump", "", "the heap dump is cut or damaged at byte 16"),
        (b"ELF", "heap-7-1.dump", "", "this is no heap dump of Go: it does not begin with 'go1.7 heap dump'"),
        (None, "", "a goroutine is running", "a goroutine is running"),
        (None, "", "", "its heap was not written"),
    ],
)
def test_what_cannot_be_read_has_its_reason(
    tmp_path: Path, dump: bytes | None, name: str, why: str, reason: str
) -> None:
    report = told(tmp_path, dump, [7], name=name, why=why)
    assert (report.retained, report.not_retained) == ({}, reason)
