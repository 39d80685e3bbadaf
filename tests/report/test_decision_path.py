"""The decision path: which question each step answers, and how a path goes on in callees."""

from __future__ import annotations

from dataclasses import replace

from whyheap.model.facts import CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.root import Hold
from whyheap.model.root import PathStep as Held
from whyheap.model.site import Position
from whyheap.report.decision_path import MOST_STEPS, Stage, decision_path

HEAP = "{heap}"


def fact(subject: str, *flows: Flow, message: str = "") -> CompilerFact:
    at = Position("a.go", 3, 7)
    return CompilerFact(FactKind.HEAP, at, "f", "p", message or f"{subject} escapes to heap", subject, at, (), flows)


def step(expr: str, reason: str, line: int = 3) -> FlowStep:
    return FlowStep(expr, reason, "a.go", line, 7)


def stages(one: CompilerFact, pattern: str = "") -> list[str]:
    return [step.stage.value for step in decision_path(one, pattern)]


RETURNED = fact(
    "x", Flow("~r0", "&x", (step("&x", "address-of"), step("return &x", "return", 4))), message="moved to heap: x"
)
BOXED = fact(
    "n",
    Flow(
        "{storage for ... argument}",
        "&{storage for n}",
        (step("n", "spill"), step("... argument", "slice-literal-element")),
    ),
    Flow(
        HEAP,
        "&{storage for ... argument}",
        (step("... argument", "spill"), step("q.keep(... argument...)", "call parameter")),
    ),
)


def test_storage_then_what_outlives_then_the_heap() -> None:
    assert stages(RETURNED) == ["storage", "outlives", "heap"]
    path = decision_path(RETURNED)
    assert [one.reason for one in path] == ["address-of", "return", ""]
    assert path[1].at == Position("a.go", 4, 7)
    assert path[-1].at is None


def test_a_size_needs_no_further_question() -> None:
    big = fact("a", Flow(HEAP, "&a", (step("a", "too large for stack"),)))
    assert stages(big) == ["size", "heap"]


def test_what_go_starts_may_outlive_the_frame() -> None:
    started = fact("func literal", Flow(HEAP, "&{storage for func literal}", (step("func literal", "spill"),)))
    assert stages(started) == ["storage", "outlives", "heap"]
    assert "started by go" in decision_path(started)[1].text


def test_a_variadic_call_is_named() -> None:
    path = decision_path(BOXED, "variadic-any")
    assert path[0].text == "q.keep takes ...any, so n is stored in an interface"
    assert [one.stage for one in path] == [Stage.STORAGE, Stage.FLOW, Stage.OUTLIVES, Stage.HEAP]
    slice_ = fact("... argument", BOXED.flow[1])
    assert decision_path(slice_)[0].text == "the arguments of q.keep go into a slice, which is made here"


def test_inlined_code_says_where_it_stands() -> None:
    inlined = replace(RETURNED, site=Position("b.go", 9, 1), inlined_at=(Position("a.go", 3, 7),))
    first = decision_path(inlined)[0]
    assert (first.stage, first.at) == (Stage.INLINED, Position("b.go", 9, 1))


def test_the_path_goes_on_in_the_callee() -> None:
    leak = CompilerFact(
        FactKind.PARAM_LEAK,
        Position("b.go", 1, 12),
        "keep",
        "q",
        "leaking param: v",
        "v",
        Position("b.go", 1, 12),
        (),
        (Flow(HEAP, "v", (FlowStep("sink = v", "assign", "b.go", 2, 7),)),),
    )
    way = (
        Held(Hold.FLOWS, Position("a.go", 3, 7), "n", "spill", "", BOXED),
        Held(Hold.PASSED, leak.printed_at, "keep", "parameter", "keep keeps it: parameter v leaks to the heap", leak),
        Held(Hold.ROOT, Position("b.go", 2, 7), "sink = v", "assign", "sink is a package-level variable", leak),
    )
    path = decision_path(BOXED, "variadic-any", lambda _: way)
    assert [one.stage for one in path] == [Stage.STORAGE, Stage.FLOW, Stage.CALLEE, Stage.FLOW, Stage.HEAP]
    assert path[2].text == "keep keeps it: parameter v leaks to the heap", "told once, with the parameter"
    assert path[3].at == Position("b.go", 2, 7)


def test_the_last_edge_says_why_a_call_is_taken_to_keep_it() -> None:
    words = "which function that calls is not known when compiling, so the argument may be kept"
    way = (Held(Hold.ROOT, Position("a.go", 3, 7), "q.keep(... argument...)", "call parameter", words, BOXED),)
    assert decision_path(BOXED, "", lambda _: way)[2].text == f"q.keep may keep it: {words}"


def test_long_paths_lose_their_middle() -> None:
    steps = tuple(step(f"v{n} := v{n - 1}", "assign", n) for n in range(2, 90))
    long = fact(
        "x",
        *(Flow(f"v{n}", "&x", (one,)) for n, one in enumerate(steps, 2)),
        Flow(HEAP, "v90", (step("g = v", "send"),)),
    )
    path = decision_path(long)
    assert len(path) == MOST_STEPS + 1
    assert any("more steps" in one.text for one in path)
