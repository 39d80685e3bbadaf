"""Patterns of form: what tells a bound method from a field, a map from a struct, a constructor from another call."""

from __future__ import annotations

import pytest

from whyheap.model.evidence import CalleeBytes, Evidence
from whyheap.model.facts import AllocatorCall, CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.finding import Finding
from whyheap.model.measure import Measure
from whyheap.model.site import Position, Site
from whyheap.patterns.context import Context
from whyheap.patterns.judge import judge
from whyheap.patterns.syntax import GoFile

FILE = "shop/a.go"
SOURCE = """package shop

type counter struct {
\thits int
\tnext func()
}

type labels map[string]string

type names []string

func (c *counter) add() {}

func f(c *counter, locks []lock, w http.ResponseWriter) {
\tfor _, l := range locks {
\t\tdefer func() { l.Unlock() }()
\t}
\tfor i, j := 0, 1; i < j; i++ {
\t\tregexp.MustCompile("a")
\t}
\tregexp.MustCompile("b")
}

func g() { regexp.MustCompile("c") }
"""


def _heap(subject: str, *steps: tuple[str, str], to: str = "{heap}", line: int = 14, column: int = 2) -> CompilerFact:
    at = Position(FILE, line, column)
    flow = Flow(to, f"&{{storage for {subject}}}", tuple(FlowStep(e, r, FILE, line, column) for e, r in steps))
    return CompilerFact(FactKind.HEAP, at, "f", "shop", f"{subject} escapes to heap", subject, at, (), (flow,))


def _found(
    line: int,
    *facts: CompilerFact,
    callees: tuple[CalleeBytes, ...] = (),
    calls: tuple[AllocatorCall, ...] | None = None,
    direct: Measure | None = None,
) -> list[Finding]:
    profiled = bool(callees or direct)
    one = Evidence(Site(FILE, line, 0, "f", "shop"), facts, direct or Measure(), callees, profiled, calls)
    return judge([one], Context((1, 27), {FILE: SOURCE}))


def _call(name: str, allocated: str = "") -> AllocatorCall:
    return AllocatorCall(Site(FILE, 14, 0, "f", "shop"), f"runtime.{name}", allocated, 1)


@pytest.mark.parametrize(
    ("subject", "step", "pattern"),
    [
        ("c.add", ("keep(c.add)", "call parameter"), "method-value"),
        ("c.hits", ("keep(c.hits)", "call parameter"), "interface-boxing"),
        ("foreign.Close", ("keep(foreign.Close)", "call parameter"), "method-value"),
        ("foreign.Name", ("keep(foreign.Name)", "call parameter"), "interface-boxing"),
        ("c.add", ("return c.add", "return"), "method-value"),
    ],
)
def test_declarations_tell_a_bound_method_from_a_field(subject: str, step: tuple[str, str], pattern: str) -> None:
    (finding,) = _found(14, _heap(subject, (subject, "spill"), step))
    assert finding.pattern == pattern


def test_what_a_log_line_takes_is_no_method() -> None:
    fact = _heap(
        "c.add",
        ("c.add", "spill"),
        ("... argument", "slice-literal-element"),
        to="{storage for ... argument}",
    )
    assert [one.pattern for one in _found(14, fact)] == ["variadic-any"]


@pytest.mark.parametrize(
    ("subject", "pattern"),
    [
        ("labels{...}", "map-storage"),
        ("http.Header{...}", "map-storage"),
        ("make(labels, n)", "map-storage"),
        ("counter{...}", "interface-boxing"),
    ],
)
def test_the_type_tells_what_a_literal_stores(subject: str, pattern: str) -> None:
    (finding,) = _found(14, _heap(subject, (subject, "spill"), ("keep(x)", "call parameter")))
    assert finding.pattern == pattern


def test_a_named_slice_is_not_boxed() -> None:
    (finding,) = _found(14, _heap("names{...}", ("names{...}", "spill"), ("keep(x)", "call parameter")))
    assert finding.pattern != "interface-boxing"


def test_machine_code_tells_a_foreign_map_from_a_foreign_struct() -> None:
    fact = _heap("other.Set{...}", ("other.Set{...}", "spill"), ("keep(x)", "call parameter"))
    (made,) = _found(14, fact, calls=(_call("makemap_small"),))
    (boxed,) = _found(14, fact, calls=(_call("convT"),))
    (sliced, *_) = _found(14, fact, calls=(_call("newobject", "[2]string"),))
    assert (made.pattern, boxed.pattern) == ("map-storage", "interface-boxing")
    assert sliced.pattern not in {"map-storage", "interface-boxing"}


@pytest.mark.parametrize(
    ("callee", "line", "pattern"),
    [
        ("regexp.MustCompile", 19, "construction-per-call"),
        ("regexp.MustCompile", 21, "construction-per-call"),  # the function takes a ResponseWriter
        ("regexp.MustCompile", 24, "callee-allocation"),
        ("strings.Repeat", 19, "callee-allocation"),
        ("fmt.Errorf", 24, "error-per-call"),
    ],
)
def test_measured_calls_are_named_by_what_they_make(callee: str, line: int, pattern: str) -> None:
    measured = CalleeBytes(callee, "runtime.newobject", Measure(alloc_bytes=64, alloc_objects=1))
    (finding,) = _found(line, callees=(measured,))
    assert (finding.pattern, finding.callees) == (pattern, (measured,))


def test_a_deferred_func_literal_is_in_the_loop_around_it() -> None:
    fact = _heap("func literal", ("func literal", "spill"), line=16, column=9)
    assert [one.pattern for one in _found(16, fact)] == ["deferred-call-in-loop"]


def test_only_the_clause_of_a_loop_declares_its_variables() -> None:
    file = GoFile(SOURCE)
    assert file.loop_variable(15, 9) is not None
    assert file.loop_variable(18, 6) is not None
    assert file.loop_variable(18, 9) is not None
    assert file.loop_variable(15, 14) is None
    assert file.loop_variable(16, 3) is None


def test_zero_sized_elements_never_allocate() -> None:
    (finding,) = _found(14, _heap("make([]struct {}, n)", ("make([]struct {}, n)", "zero-sized element")))
    assert (finding.pattern, finding.agreement) == ("variable-size-make", "never-allocates")


def test_a_copy_by_append_is_not_said_to_grow() -> None:
    fact = _heap("append(([]int)(nil), ids...)", ("append", "spill"), ("return x", "return"), to="~r0")
    (finding,) = _found(14, fact)
    assert (finding.pattern, finding.message) == ("append-growth", "slice copied by append")
