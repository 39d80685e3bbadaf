"""Calls of the allocator as JSON lines."""

from __future__ import annotations

import json

from whyheap.model.facts import AllocatorCall
from whyheap.model.site import Site
from whyheap.report.calls_jsonl import write_calls


def test_each_call_is_one_line() -> None:
    outer = Site("main.go", 10, 0, "outer", "main")
    calls = [
        AllocatorCall(Site("part.go", 7, 0, "inner", "main"), "runtime.newobject", "main.T", 4242, inlined_at=(outer,)),
        AllocatorCall(Site("main.go", 11, 0, "(*T).M", "main"), "runtime.convT64", "", 4300),
    ]
    first, second = (json.loads(line) for line in b"".join(write_calls(calls)).splitlines())
    assert first == {
        "file": "part.go",
        "line": 7,
        "function": "inner",
        "package": "main",
        "callee": "runtime.newobject",
        "type": "main.T",
        "address": 4242,
        "path": "unknown",
        "symbol": "",
        "inlined_at": [{"file": "main.go", "line": 10, "function": "outer", "package": "main"}],
    }
    assert second["inlined_at"] == []


def test_many_calls_come_in_whole_lines_and_in_order() -> None:
    calls = [AllocatorCall(Site("a.go", 1), "runtime.newobject", "", address) for address in range(5000)]
    pieces = list(write_calls(iter(calls)))
    assert len(pieces) > 1
    assert all(piece.endswith(b"\n") for piece in pieces)
    assert [json.loads(line)["address"] for line in b"".join(pieces).splitlines()] == list(range(5000))


def test_without_calls_nothing_is_written() -> None:
    assert list(write_calls([])) == []
