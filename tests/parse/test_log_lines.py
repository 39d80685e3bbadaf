from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.parse.log_kind import LogKind, recognise_text
from whyheap.parse.log_lines import unwrap_line
from whyheap.parse.rfc3339 import in_utc, utc_seconds, utc_text

LINE = "fatal error: out of memory"
AT = "2024-05-01T03:12:00.123Z"


@pytest.mark.parametrize(
    ("line", "at"),
    [
        (LINE, ""),
        (f"2024-05-01T05:12:00.123456789+02:00 stderr F {LINE}", AT),
        (f"2024-05-01T03:12:00.123456789Z {LINE}", AT),
        (f"[pod/shop-7d9/shop] {LINE}", ""),
        (f"[pod/shop-7d9/shop] 2024-05-01T03:12:00.123Z {LINE}", AT),
        (f"shop-1  | {LINE}", ""),
        (f"2024-05-01T05:12:00.123+0200 node-1 shop[4242]: {LINE}", AT),
        (f"2024-05-01T03:12:00.123Z node-1 kernel: {LINE}", AT),
        (f"May  1 03:12:00 node-1 shop[4242]: {LINE}", ""),
        (
            json.dumps(
                {"log": f"{LINE}\n", "stream": "stderr", "time": "2024-05-01T03:12:00.123456789Z"},
                separators=(",", ":"),
            ),
            AT,
        ),
    ],
)
def test_what_collectors_add_is_taken_off(line: str, at: str) -> None:
    assert unwrap_line(line) == (at, LINE)


@pytest.mark.parametrize(
    "line", ["", "\t/src/main.go:4 +0x18", '{"log":"a', '{"log":"a","log":3}', "goroutine 1 [running]:"]
)
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert unwrap_line(line) == ("", line)


@given(st.text(max_size=200))
def test_any_line(text: str) -> None:
    unwrap_line(text)
    unwrap_line('{"log":"' + text)
    unwrap_line(f"{AT} {text}")


def test_moments_need_a_zone() -> None:
    assert utc_seconds("2024-05-01T03:12:00") is None
    assert utc_seconds("2024-05-01T03:12:00Z") == 1714533120
    assert utc_text(1714533120.25) == "2024-05-01T03:12:00.250Z"
    assert in_utc("2024-05-01T05:12:00+02:00") == "2024-05-01T03:12:00.000Z"
    assert utc_text(float("nan")) == utc_text(-1) == utc_text(1e300) == ""


@given(st.text(max_size=45) | st.integers() | st.none())
def test_any_moment(value: object) -> None:
    in_utc(value)


@pytest.mark.parametrize(
    ("head", "tail", "kind"),
    [
        (b"fatal error: stack overflow\n\nruntime stack:\n", b"", LogKind.CRASH),
        (b"served 1\n" * 50, b"runtime: goroutine stack exceeds 1000000000-byte limit\n", LogKind.CRASH),
        (b"panic: oops\n\ngoroutine 1 [running]:\nmain.main()\n", b"", LogKind.CRASH),
        (b"go run .\nsignal: killed\n", b"", LogKind.CRASH),
        (b'{"log":"fatal error: out of memory\\n","stream":"stderr"}', b"", LogKind.CRASH),
        (
            b"gc 1 @0.015s 0%: 0.17+0.14+0.005 ms clock, 0+0/0/0+0 ms cpu, 4->4->1 MB, 4 MB goal, 2 P\n",
            b"",
            LogKind.GCTRACE,
        ),
        (b"[1.2] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null)", b"", LogKind.KERNEL),
        (b"fatal error: cannot open the configuration\n", b"", None),
        (b"panic: I was told to, but I go on\n", b"", None),
        (b"goroutine profile: total 3\n1 @ 0x1\n", b"fatal error: out of memory", None),
        (b"heap profile: 1: 2 [3: 4] @ heap/5\n", b"", None),
        (b"\0\0fatal error: out of memory", b"", None),
        (b"", b"", None),
    ],
)
def test_logs_are_recognised_by_content(head: bytes, tail: bytes, kind: LogKind | None) -> None:
    assert recognise_text(head, tail) is kind


@given(st.binary(max_size=300))
def test_any_bytes_are_recognised_or_not(head: bytes) -> None:
    recognise_text(head, head)
    recognise_text(b"fatal error: " + head)
