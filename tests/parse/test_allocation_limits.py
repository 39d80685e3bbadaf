"""`//whyheap:limit`: what it limits, and where it makes no sense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.parse.allocation_limits import AllocationLimit, WrongDirective, parse_limits
from whyheap.units import spell_bytes


def one(source: str) -> AllocationLimit | WrongDirective:
    (found,) = parse_limits(f"package p\n\n{source}\n")
    return found


def test_a_limit_stands_above_its_function() -> None:
    found = one(
        "// BenchmarkX does.\n//\n//whyheap:limit allocs=0 bytes=1KiB // as promised\nfunc BenchmarkX(b *testing.B) {}"
    )
    assert isinstance(found, AllocationLimit)
    assert (found.function, found.allocs, found.bytes, found.is_benchmark) == ("BenchmarkX", 0, 1024, True)
    assert (found.line, found.column) == (6, 6)


def test_a_tab_separates_as_well() -> None:
    found = one("//whyheap:limit\tallocs=2\nfunc TestX(t *testing.T) {}")
    assert isinstance(found, AllocationLimit)
    assert found.allocs == 2


def test_a_limit_outside_of_test_files_limits_nothing() -> None:
    source = "package p\n\n//whyheap:limit allocs=0\nfunc TestX(t *testing.T) {}\n"
    (found,) = parse_limits(source, is_test=False)
    assert isinstance(found, WrongDirective)
    assert (found.line, found.reason) == (3, "it stands in no test file")


def test_other_comments_may_stand_between() -> None:
    found = one("//whyheap:limit bytes=64\n//nolint:all\nfunc TestX(t *testing.T) {}")
    assert isinstance(found, AllocationLimit)
    assert (found.function, found.allocs, found.bytes) == ("TestX", None, 64)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("//whyheap:limit\nfunc TestX(t *testing.T) {}", "it names no limit"),
        ("//whyheap:limit allocs\nfunc TestX(t *testing.T) {}", "allocs is not understood"),
        ("//whyheap:limit allocs=-1\nfunc TestX(t *testing.T) {}", "allocs=-1 is no count"),
        ("//whyheap:limit allocs=1 allocs=2\nfunc TestX(t *testing.T) {}", "allocs is given twice"),
        ("//whyheap:limit bytes=1XiB\nfunc TestX(t *testing.T) {}", "'1XiB' is not"),
        ("//whyheap:limits allocs=1\nfunc TestX(t *testing.T) {}", "it is not understood"),
        ("// whyheap:limit allocs=1\nfunc TestX(t *testing.T) {}", "it is not understood"),
        ("//whyheap:limit allocs=1\nfunc TestMain(m *testing.M) {}", "TestMain is neither a Test nor a Benchmark"),
        ("//whyheap:limit time=1s\nfunc TestX(t *testing.T) {}", "time=1s is not understood"),
        (
            "//whyheap:limit allocs=1\nfunc Testing(t *testing.T) {}",
            "Testing is neither a Test nor a Benchmark function",
        ),
        ("//whyheap:limit allocs=1\nfunc (s *S) TestX() {}", "it stands directly above no function"),
        ("//whyheap:limit allocs=1\n\nfunc TestX(t *testing.T) {}", "it stands directly above no function"),
        ("//whyheap:limit allocs=1\nvar x int", "it stands directly above no function"),
        ("func TestX(t *testing.T) {\n\t//whyheap:limit allocs=1\n\tf()\n}", "it stands directly above no function"),
        ("//whyheap:limit allocs=1", "it stands directly above no function"),
    ],
)
def test_a_directive_that_makes_no_sense_says_why(source: str, reason: str) -> None:
    found = one(source)
    assert isinstance(found, WrongDirective)
    assert reason in found.reason


def test_text_and_other_words_are_no_directive() -> None:
    source = "package p\n\nvar s = `\n//whyheap:limit allocs=1\n`\n\n"
    source += "// whyheap:limit is a word of ours.\n//whyheap:limitless\nfunc TestX() {}\n"
    assert list(parse_limits(source)) == []


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_every_limit_is_read_as_it_is_written(allocs: int, size: int) -> None:
    found = one(f"//whyheap:limit bytes={spell_bytes(size)} allocs={allocs}\nfunc Test(t *testing.T) {{}}")
    assert isinstance(found, AllocationLimit)
    assert (found.allocs, found.bytes) == (allocs, size)


@given(st.text(max_size=200))
def test_no_text_is_a_surprise(text: str) -> None:
    for found in parse_limits(f"package p\n//whyheap:limit {text}\nfunc TestX() {{}}\n"):
        assert isinstance(found, AllocationLimit | WrongDirective)
