"""Every example.go says what whyheap must find in it, on every recorded Go version."""

from __future__ import annotations

from pathlib import Path

import pytest

from pattern_wants import failed, judged, version, wants
from whyheap.host.toolchains import SUPPORTED
from whyheap.lab.recording import load
from whyheap.model.finding import PatternKind
from whyheap.patterns.catalogue import PATTERNS, get
from whyheap.patterns.pattern import Pattern

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "tests" / "recorded"
VERSIONS = SUPPORTED
# What only declarations tell: without source these lines carry the compiler's own reason.
NEEDS_SOURCE = {
    "string-concatenation",
    "map-storage",
    "global-store",
    "leaking-parameter",
    "escaping-closure",
    "goroutine-capture",
    "loop-variable-address",
    "deferred-call-in-loop",
    "method-value",
    "construction-per-call",
    "returned-address",  # whether a named variable is a result
    "type-parameter-method",
    "interface-method-argument",
    "indirect-call-argument",
    "loop-outliving-value",
    "unguarded-copy",
}


def _recorded(go: str, pattern: Pattern) -> str:
    return (RECORDED / go / "patterns" / f"{pattern.slug}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("go", VERSIONS)
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.slug)
def test_finds_exactly_what_the_example_wants(pattern: Pattern, go: str) -> None:
    assert failed(pattern, _recorded(go, pattern), version(go), load(RECORDED / go, pattern.slug)) == []


@pytest.mark.parametrize("pattern", [one for one in PATTERNS if one.slug not in NEEDS_SOURCE], ids=lambda one: one.slug)
def test_the_compilers_words_alone_give_the_same_patterns(pattern: Pattern) -> None:
    go = version(VERSIONS[-1])
    recorded = _recorded(VERSIONS[-1], pattern)
    with_source = judged(pattern, recorded, go)
    without = judged(pattern, recorded, go, source=False)
    for line, want in wants(pattern.example, go).items():
        if want.agreement != "allocates-silently":
            assert {one.pattern for one in without[line]} == {one.pattern for one in with_source[line]}, line


def test_without_source_every_line_still_has_a_finding() -> None:
    """Of hazards, syntax is one of the two witnesses."""
    for pattern in (one for one in PATTERNS if one.kind is not PatternKind.HAZARD):
        recorded = _recorded(VERSIONS[-1], pattern)
        go = version(VERSIONS[-1])
        without = judged(pattern, recorded, go, source=False)
        assert {line for line, findings in judged(pattern, recorded, go).items() if findings} == {
            line for line, findings in without.items() if findings
        }


@pytest.mark.parametrize(
    ("slug", "title"),
    [
        ("variadic-any", 'fmt.Sprintf("%d", n) -> strconv.Itoa(n)'),
        ("append-growth", "var out []int -> out := make([]int, 0, len(ids))"),
        ("append-growth", "var out []int -> out := make([]int, 0, n)"),
        ("string-concatenation", "write text with a strings.Builder"),
    ],
)
def test_names_the_fix_in_the_sites_own_words(slug: str, title: str) -> None:
    found = judged(get(slug), _recorded(VERSIONS[-1], get(slug)), version(VERSIONS[-1]))
    titles = {(fix.title, fix.kind) for findings in found.values() for one in findings for fix in one.fixes}
    assert (title, "mechanical") in titles
