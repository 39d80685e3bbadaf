"""What hooked test binaries write is read whole, and what is not understood is counted."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from whyheap.parse.hook_report import functions_of, parse_hook_report

TRACE = """\
goroutine 7 [chan receive (leaked), 2 minutes]:
a.test/p.run(0xc000012345)
\t/src/p/x.go:8 +0x1d
created by a.test/p.Start in goroutine 6
\t/src/p/x.go:4 +0x8a"""
END = {
    "kind": "end", "exit": 0, "tests": 2, "left": 3, "children": 0, "waited_ms": 50, "heap_before": 1, "heap_after": 2,
    "stack_before": 3, "stack_after": 4, "witness": True, "too_many": False, "harmless": {"signals": 1},
}  # fmt: skip


def lines(*objects: object) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in objects)


def test_a_report_is_read_whole() -> None:
    (report,) = parse_hook_report(
        lines(
            {"kind": "start", "package": "a.test/p"},
            {"kind": "limit", "name": "TestX", "allocs": 1, "bytes": 64, "n": 1, "parallel": False},
            {"kind": "goroutine", "test": "TestX/part", "how": "created", "trace": TRACE, "count": 3},
            {"kind": "parallel", "name": "TestY"},
            END,
        ),
        lambda file: file.removeprefix("/src/"),
    )
    (left,) = report.goroutines
    assert (left.test, left.how, left.state, left.is_stuck, left.count) == (
        "TestX/part", "created", "chan receive", True, 3,
    )  # fmt: skip
    assert list(functions_of(left)) == ["a.test/p.run", "a.test/p.Start"]
    assert left.created_by is not None
    assert str(left.created_by.position) == "p/x.go:4"
    assert [one.bytes for one in report.limited] == [64]
    assert report.parallel == ["TestY"]
    assert report.end is not None
    assert report.end.harmless == {"signals": 1}
    assert report.unread == 0


def test_tests_that_run_twice_give_two_reports() -> None:
    start = {"kind": "start", "package": "p"}
    assert [one.end is not None for one in parse_hook_report(lines(start, END, start))] == [True, False]


def test_what_is_not_understood_is_counted() -> None:
    goroutine = {"kind": "goroutine", "test": "", "how": "parallel", "trace": "no trace"}
    (report,) = parse_hook_report(lines({"kind": "start", "package": "p"}, {"kind": "new"}, goroutine) + b'{"kind": "e')
    assert (report.unread, report.end) == (3, None)


@given(st.binary(max_size=300))
def test_no_bytes_are_a_surprise(data: bytes) -> None:
    parse_hook_report(lines({"kind": "start", "package": "p"}) + data)
