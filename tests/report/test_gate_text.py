"""A gate's result as text: lines that editors jump to, what lies behind them, and one line that sums up."""

from __future__ import annotations

from whyheap.model.site import Site
from whyheap.model.violation import GateResult, Violation
from whyheap.report.gate_text import gate_to_text

SITE = Site("p/x.go", 4, 2, "Start", "a.test/p")
STACK = tuple(Site("p/x.go", 10 + number, 0, f"f{number}", "a.test/p") for number in range(14))
LEAK = Violation("1", "leak", SITE, "1 goroutine is left", labels={"stack_bytes_at_least": "2048"}, stack=STACK)


def result(*violations: Violation, failed: bool = False, unknown: tuple[str, ...] = ()) -> GateResult:
    return GateResult(
        "go1.27.3", "linux/amd64", violations, ("a note",), unknown, {"packages": 1, "tests": 2000}, failed
    )


def test_a_violation_is_one_line_and_its_stack_below() -> None:
    lines = gate_to_text(result(LEAK)).splitlines()
    assert lines[0] == "p/x.go:4:2: leak: 1 goroutine is left"
    assert lines[1].split() == ["a.test/p.f0", "p/x.go:10"]
    assert lines[13].strip() == "... 2 more frames (--all)"
    assert lines[14].split() == ["created", "by", "a.test/p.Start", "p/x.go:4:2"]
    assert lines[15].strip() == "holds at least 2 KiB of stack, and what it refers to"
    assert lines[-2:] == [
        "note: a note",
        "1 violation (1 leak): 1 package, 2,000 tests checked with go1.27.3 on linux/amd64",
    ]
    assert len(gate_to_text(result(LEAK), all_rows=True).splitlines()) == len(lines) + 1


def test_every_end_has_its_word() -> None:
    assert gate_to_text(result()).splitlines()[-1].startswith("clean: ")
    assert gate_to_text(result(unknown=("x",))).splitlines()[-2:][0] == "not understood: x"
    assert gate_to_text(result(unknown=("x",))).splitlines()[-1].startswith("not judged: ")
    failed = gate_to_text(result(failed=True)).splitlines()[-1]
    assert failed.startswith("failed: ")
    assert failed.endswith("; ordinary tests failed")


def test_what_a_target_says_cannot_move_the_cursor() -> None:
    text = gate_to_text(result(Violation("1", "leak", SITE, "a\x1b[2Jb\nc")), color=True)
    assert "\x1b[2J" not in text
    assert "a\\x1b[2Jb c" in text
    assert "\x1b[31mleak\x1b[0m" in text
    assert "\x1b" not in gate_to_text(result(LEAK))
