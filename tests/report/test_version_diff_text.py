"""The text of `diff --go A --go B`; WHYHEAP_UPDATE_GOLDEN=1 writes the golden files anew."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from whyheap.model.evidence import Agreement
from whyheap.model.facts import AllocatorCall, CallPath
from whyheap.model.finding import Certainty, Finding
from whyheap.model.gauge import Gap
from whyheap.model.measure import Measure
from whyheap.model.site import Site
from whyheap.model.version_diff import Change, LineChange, VersionDiff
from whyheap.report.terminal_version_diff import version_diff_to_terminal

GOLDEN = Path(__file__).parent / "golden"


def finding(line: int, pattern: str, message: str, agreement: Agreement, *callees: str) -> Finding:
    site = Site("internal/cache/store.go", line, 2, "Get", "shop/internal/cache")
    path = CallPath.BRANCH if agreement is Agreement.MAY_ALLOCATE else CallPath.ALWAYS
    calls = tuple(
        AllocatorCall(site, f"runtime.{callee}", "int", address, path, symbol="shop/internal/cache.Get")
        for address, callee in enumerate(callees)
    )
    return Finding(f"id{line}", pattern, site, "x", message, Certainty.STATED, agreement, calls=calls)


def sample() -> VersionDiff:
    boxed = finding(12, "interface-boxing", "boxed into an interface, passed to log", Agreement.AGREE, "convT64")
    made = finding(20, "variable-size-make", "its length is known only at run time", Agreement.AGREE, "makeslice")
    maybe = replace(
        made, message="does not escape, but its length is known only at run time", agreement=Agreement.MAY_ALLOCATE
    )
    two = finding(31, "returned-address", "its address is returned", Agreement.AGREE, "newobject", "newobject")
    moved = finding(
        44,
        "append-growth",
        "slice built by append on the stack moves to the heap",
        Agreement.MAY_ALLOCATE,
        "moveSliceNoCapNoScan",
    )
    large = finding(52, "oversized-value", "too large for the stack", Agreement.AGREE, "newobject")
    return VersionDiff(
        go=("go1.24.11", "go1.27.3"),
        title="shop",
        packages=3,
        changes=(
            LineChange(boxed.site, Change.STOPS, (boxed,), (), Measure(0, 0, 3 << 20, 400_000)),
            LineChange(made.site, Change.LESS, (made,), (maybe,), Measure(0, 0, 1 << 20, 9_000)),
            LineChange(two.site, Change.LESS, (two,), (replace(two, calls=(two.calls or ())[:1]),), Measure()),
            LineChange(moved.site, Change.STARTS, (), (moved,), Measure()),
            LineChange(large.site, Change.STARTS, (), (large,), Measure()),
        ),
        lines=(1, 61),
        profile=Measure(1 << 20, 100, 8 << 20, 900_000),
        gaps=(Gap("compiler", "go1.27.3: shop/old was not scanned", "Mend it, then scan again"),),
    )


@pytest.mark.parametrize("width", [60, 80])
def test_golden(width: int) -> None:
    text = version_diff_to_terminal(sample(), width=width, color=False)
    assert max(map(len, text.splitlines())) <= width
    golden = GOLDEN / f"diff-go.width{width}.txt"
    if os.environ.get("WHYHEAP_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
