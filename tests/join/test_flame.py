"""The merged call tree adds up, and small frames are left out without a loss of bytes above them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from join_samples import GOEXIT, MODULE, Call, own, profile, sample, shop, std
from whyheap.join.flame import flame
from whyheap.model.measure import Measure
from whyheap.model.report import FlameNode

CALLS: list[Call] = [own("F", 5), own("F", 6), own("G", 5), std("fmt.Sprintf", "fmt/print.go"), GOEXIT]


def check(node: FlameNode) -> None:
    below = sum((child.measure for child in node.children), Measure())
    for name in ("inuse_bytes", "inuse_objects", "alloc_bytes", "alloc_objects"):
        assert getattr(below, name) <= getattr(node.measure, name)
    names = [(child.name, child.line) for child in node.children]
    assert len(names) == len(set(names))
    for child in node.children:
        check(child)


def test_frames_have_their_pattern_and_inline_frames_are_frames() -> None:
    stack = sample([[own("newItem", 12), own("Get", 41)], GOEXIT])
    root = flame(shop(), profile([stack, stack]), {("cache/cache.go", 12): "returned-address"})
    assert (root.name, root.measure.alloc_bytes) == ("root", 200)
    goexit = root.children[0]
    get = goexit.children[0]
    assert (get.name, get.file, get.line, get.pattern) == (f"{MODULE}/cache.Get", "cache/cache.go", 41, "")
    assert (get.children[0].name, get.children[0].pattern) == (f"{MODULE}/cache.newItem", "returned-address")


def test_tiny_frames_are_left_out_but_counted_above() -> None:
    stacks = [sample([own("big", 1)], alloc=1_000_000), sample([own("small", 2)], alloc=50)]
    root = flame(None, profile(stacks), {})
    assert [child.name for child in root.children] == [f"{MODULE}/cache.big"]
    assert root.measure.alloc_bytes == 1_000_050


def test_focus_keeps_stacks() -> None:
    stacks = profile([sample([own("F", 5), GOEXIT]), sample([own("G", 5), GOEXIT], alloc=7)])
    assert flame(shop(), stacks, {}, re.compile("G$")).measure.alloc_bytes == 7


def test_a_deep_recursion_is_no_problem() -> None:
    root = flame(shop(), profile([sample([own("F", number) for number in range(2000)])]), {})
    depth = 0
    while root.children:
        root, depth = root.children[0], depth + 1
    assert depth == 2000


@given(
    st.lists(
        st.tuples(
            st.lists(st.lists(st.sampled_from(CALLS), min_size=1, max_size=2), min_size=1, max_size=4),
            st.integers(0, 99),
            st.integers(0, 99),
        ),
        max_size=6,
    )
)
def test_totals(samples: list) -> None:  # type: ignore[type-arg]
    root = flame(shop(), profile(samples), {})
    assert root.measure.alloc_bytes == sum(row[1] for row in samples)
    assert root.measure.inuse_bytes == sum(row[2] for row in samples)
    check(root)
