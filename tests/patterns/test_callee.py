"""What a call may reach, and where a flow ends: from the compiler's printed words and the source beside them."""

from __future__ import annotations

import pytest

from whyheap.model.evidence import Evidence
from whyheap.model.facts import CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.site import Position, Site
from whyheap.patterns.callee import Called, callee
from whyheap.patterns.context import Context
from whyheap.patterns.declarations import Declarations
from whyheap.patterns.destination import End, end
from whyheap.patterns.escape import Escape, Route
from whyheap.patterns.judge import judge
from whyheap.patterns.printed import arguments_of, callee_of, without_types
from whyheap.patterns.said import Said
from whyheap.patterns.syntax import GoFile

PACKAGE = "example.test/shop"
SOURCE = """package shop

import "net/http/httptrace"

type store interface{ fill(s *state) }

type option func(*state)

type holder struct {
	store
	done  option
	kept  store
	inner *holder
}

type state struct{ n int }

func (h holder) byValue(s *state) {}

func keep(s *state) {}

var hook option

func run(h *holder, apply func(*state), trace *httptrace.ClientTrace) (out *state, err error) {
	known := func(s *state) {}
	var best *state
	func() {
		best = nil
	}()
	for {
		use(known, best)
	}
}
"""
LINE = 31


def _escape(call: str, *, to: str = "{heap}", reason: str = "call parameter", line: int = LINE) -> Escape:
    step = FlowStep(call, reason, "a.go", line, 1)
    spill = FlowStep("&state{...}", "spill", "a.go", line, 1)
    at = Position("a.go", line, 2)
    flow = (Flow(to, "&{storage for &state{...}}", (spill, step)),)
    return Escape(
        CompilerFact(FactKind.HEAP, at, "run", PACKAGE, "&state{...} escapes to heap", "&state{...}", at, (), flow)
    )


def _evidence(*facts: CompilerFact, line: int = LINE) -> Evidence:
    return Evidence(Site("a.go", line, 0, "run", PACKAGE), facts)


def _leak(function: str, parameter: str, package: str = PACKAGE) -> CompilerFact:
    at = Position("b.go", 3, 1)
    return CompilerFact(FactKind.PARAM_LEAK, at, function, package, f"leaking param: {parameter}", parameter, at)


@pytest.mark.parametrize(
    ("call", "called"),
    [
        ("keep(&state{...})", Called.FUNCTION),
        ("(*holder).byPointer(h, &state{...})", Called.FUNCTION),
        ("holder.byValue(*h, &state{...})", Called.FUNCTION),
        ("panic(&state{...})", Called.FUNCTION),
        ("known(&state{...})", Called.FUNCTION),
        ("apply(&state{...})", Called.FUNC_VALUE),
        ("hook(&state{...})", Called.FUNC_VALUE),
        ("h.done(&state{...})", Called.FUNC_VALUE),
        ("h.inner.done(&state{...})", Called.FUNC_VALUE),
        ("trace.GotConn(&state{...})", Called.FUNC_VALUE),
        (".autotmp_3(&state{...})", Called.FUNC_VALUE),
        ("h.kept.fill(&state{...})", Called.INTERFACE_METHOD),
        ("h.store.fill(&state{...})", Called.INTERFACE_METHOD),
        (".autotmp_3.fill(&state{...})", Called.INTERFACE_METHOD),
        ("(func(go.shape.*uint8, *state))(&.dict[0])(p, &state{...})", Called.TYPE_PARAMETER),
        ("httptrace.ContextClientTrace(&state{...})", Called.FUNCTION),
        ("C.keep(&state{...})", Called.FUNCTION),
        ("append(xs, &state{...})", Called.UNKNOWN),
    ],
)
def test_what_a_printed_call_may_reach(call: str, called: Called) -> None:
    assert callee(_evidence(), Context((1, 27), {"a.go": SOURCE}), _escape(call)).called is called


def test_without_source_only_what_the_compiler_said_decides() -> None:
    context = Context((1, 27))
    assert callee(_evidence(), context, _escape("keep(&state{...})")).called is Called.UNKNOWN
    context.hear([_evidence(_leak("keep", "s"))])
    assert callee(_evidence(), context, _escape("keep(&state{...})")).called is Called.FUNCTION


def test_leaks_are_found_across_packages() -> None:
    said = Said([_evidence(_leak("(*Reader).Fill", "p", "example.test/data"), _leak("Keep[...]", "k", "a.test/data"))])
    assert set(said.leaks("(*data.Reader).Fill", PACKAGE)) == {"p"}
    assert set(said.leaks("data.Keep[go.shape.int]", PACKAGE)) == {"k"}
    assert said.leaks("(*other.Reader).Fill", PACKAGE) == {}
    assert said.leaks("", PACKAGE) == {}


@pytest.mark.parametrize(
    ("target", "line", "expected"),
    [
        ("out", LINE, End.RESULT),
        ("~r0", LINE, End.RESULT),
        ("best", LINE, End.AROUND_LOOP),
        ("best", 28, End.AROUND_CLOSURE),
        ("other.x", 25, End.HEAP_VARIABLE),
    ],
)
def test_where_a_flow_ends(target: str, line: int, expected: End) -> None:
    escape = _escape("x = &state{...}", to=target, reason="assign", line=line)
    context = Context((1, 27), {"a.go": SOURCE})
    assert end(_evidence(line=line), context, escape) is expected


def test_a_moved_variable_holds_what_flows_to_it() -> None:
    at = Position("a.go", 26, 6)
    moved = CompilerFact(FactKind.HEAP, at, "run", PACKAGE, "moved to heap: best", "best", at)
    context = Context((1, 27), {"a.go": SOURCE})
    context.hear([_evidence(moved)])
    assert end(_evidence(), context, _escape("best = x", to="best", reason="assign")) is End.HEAP_VARIABLE


def test_what_is_returned_first_is_returned_whatever_the_caller_does() -> None:
    at = Position("a.go", 5, 1)
    flow = (
        Flow("~r0", "&x", (FlowStep("return &x", "return", "a.go", 5, 1),)),
        Flow("{heap}", "~r0", (FlowStep("append(xs, f())", "call parameter", "b.go", 9, 1),)),
    )
    fact = CompilerFact(FactKind.HEAP, at, "f", PACKAGE, "moved to heap: x", "x", at, (), flow)
    assert Escape(fact).route is Route.RETURN


@pytest.mark.parametrize(
    ("expr", "printed", "arguments"),
    [
        ("a(b)(c, d)", "a(b)", ["c", "d"]),
        ('x.f("(").Read(b)', 'x.f("(").Read', ["b"]),
        ("(*T).M(x, a[1:f(2)])", "(*T).M", ["x", "a[1:f(2)]"]),
        ("f()", "f", []),
        ("f(", "f", []),
        ("x", "", []),
        ("", "", []),
    ],
)
def test_a_printed_call_is_read_from_its_last_parentheses(expr: str, printed: str, arguments: list[str]) -> None:
    assert callee_of(expr) == printed
    assert arguments_of(expr) == arguments


def test_type_arguments_are_dropped() -> None:
    assert without_types("(*sync.HashTrieMap[go.shape.int,map[string]int]).Load") == "(*sync.HashTrieMap).Load"
    assert without_types("(func())(&.dict[0])") == "(func())(&.dict[0])"


def test_written_types() -> None:
    file = GoFile(SOURCE)
    declared = Declarations([file])
    assert declared.written_type("h.inner.kept", file, LINE) == "store"
    assert declared.written_type("best", file, LINE) == "*state"
    assert declared.written_type("h.nothing.kept", file, LINE) == ""
    assert declared.kind("store") == "interface_type"
    assert declared.parameters("holder.byValue") == ["h", "s"]


@pytest.mark.parametrize("text", ["", "package p\ntype t = t\nfunc (", "\x00", "package p\ntype a b\ntype b a\n"])
def test_broken_source_declares_nothing_and_is_no_error(text: str) -> None:
    file = GoFile(text)
    declared = Declarations([file])
    assert declared.written_type("a.b", file, 1) == ""
    assert declared.kind("a") == ""
    assert declared.takes_any("f") is None


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ("r.data", "passed to send, which may keep it"),
        ("r.head.name", "passed to send, leaking param: h"),
        ("r.head", "passed to send, leaking param: h"),
    ],
)
def test_a_parameter_that_takes_another_field_is_not_named(stored: str, message: str) -> None:
    def step(expr: str, reason: str) -> FlowStep:
        return FlowStep(expr, reason, "a.go", LINE, 1)

    kept = Flow(
        "r", "&{storage for &state{...}}", (step("&state{...}", "spill"), step(f"{stored} = &state{{...}}", "assign"))
    )
    passed = Flow("{heap}", "r", (step("r.head", "dot"), step("send(r.head)", "call parameter")))
    at = Position("a.go", LINE, 2)
    fact = CompilerFact(
        FactKind.HEAP, at, "run", PACKAGE, "&state{...} escapes to heap", "&state{...}", at, (), (kept, passed)
    )
    (finding,) = judge([_evidence(fact, _leak("send", "h"))], Context((1, 27)))
    assert finding.message == message
