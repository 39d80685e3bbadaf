"""Every example.go says what whyheap must find in it, on every recorded Go version."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import toolchains
from pattern_wants import judged, version, wants
from whyheap.patterns.catalogue import PATTERNS, get
from whyheap.patterns.pattern import Pattern

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "tests" / "recorded"
VERSIONS = ("1.22.10", "1.24.11", "1.25.5", "1.26.6", "1.27.3")
# What only declarations tell: without source these lines carry the compiler's own reason.
NEEDS_SOURCE = {
    "string-concatenation",
    "map-storage",
    "global-store",
    "leaking-parameter",
    "escaping-closure",
    "goroutine-capture",
}


def _recorded(go: str, pattern: Pattern) -> str:
    return (RECORDED / go / "patterns" / f"{pattern.slug}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("go", VERSIONS)
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.slug)
def test_finds_exactly_what_the_example_wants(pattern: Pattern, go: str) -> None:
    _compare(pattern, _recorded(go, pattern), go)


def _compare(pattern: Pattern, recorded: str, go: str) -> None:
    found = judged(pattern, recorded, version(go))
    demanded = wants(pattern.example, version(go))
    assert {line: {one.pattern for one in findings} for line, findings in found.items() if findings} == {
        line: want.patterns for line, want in demanded.items() if want.patterns
    }
    for line, want in demanded.items():
        if want.agreement:
            assert want.agreement in {one.agreement for one in found[line]}, line
        if want.callee:
            assert {one.subject for one in found[line]} == {want.callee}


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
    for pattern in PATTERNS:
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


@pytest.mark.live
def test_the_newest_go_prints_what_was_recorded(tmp_path: Path) -> None:
    go = toolchains.newest()
    script = ROOT / "scripts" / "record_patterns.py"
    subprocess.run(
        [sys.executable, script, "--go", toolchains.go(go), "--out", tmp_path],
        check=True,
        env=toolchains.environment(go),
    )
    for pattern in PATTERNS:
        text = (tmp_path / f"{pattern.slug}.txt").read_text(encoding="utf-8")
        assert sorted(text.splitlines()) == sorted(_recorded(go, pattern).splitlines()), pattern.slug
        _compare(pattern, text, go)
