"""What is said of a line in generic code that nobody instantiates."""

from __future__ import annotations

from pathlib import Path

from join_samples import fact, scan
from whyheap.app.gather import Gathered
from whyheap.app.line_explanation import LineExplanation, explain_line
from whyheap.capture import Capture
from whyheap.model.scan import Scan
from whyheap.report.terminal_explain import explain_to_terminal

SOURCE = """package cache

func Gen[T any](xs []T) []T {
	return append([]T(nil), xs...)
}

func Plain(xs []int) int {
	return len(xs)
}
"""
WORDS = "Gen is generic and no scanned package instantiates it"


def explained(there: Scan, line: int) -> LineExplanation:
    capture = Capture(("./cache",), "2026-01-01T00:00:00Z", there, sources={"cache/cache.go": SOURCE})
    return explain_line(Gathered(capture), "cache/cache.go", line, Path("/checkout"))


def said(explanation: LineExplanation) -> str:
    text = explain_to_terminal(
        explanation.report, explanation.file, explanation.line, width=120, color=False, details=explanation.details
    )
    return " ".join(text.split())


def test_a_generic_function_that_nobody_instantiates_is_not_judged() -> None:
    silent = scan({"example.com/shop/cache": (["cache/cache.go"], [])})
    text = said(explained(silent, 4))
    assert WORDS in text
    assert "no witness knows" not in text
    assert "whyheap explain cache/cache.go:4 ./..." in text
    assert "no witness knows" in said(explained(silent, 8))


def test_one_that_is_instantiated_is_judged() -> None:
    told = fact("cache/cache.go", 4, "append([]T(nil), xs...) escapes to heap", function="Gen[go.shape.int]")
    heard = scan({"example.com/shop/cache": (["cache/cache.go"], [told])})
    assert WORDS not in said(explained(heard, 4))
    assert WORDS not in said(explained(heard, 3))
