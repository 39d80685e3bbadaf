"""Patterns of form: what tells a bound method from a field, a map from a struct, a constructor from another call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from whyheap.model.evidence import Agreement, CalleeBytes, Evidence
from whyheap.model.facts import AllocatorCall, CallPath, CompilerFact, FactKind, Flow, FlowStep
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

func h(all []int) {
\tkept := make([]int, 0, len(all))
\tfor _, one := range all {
\t\tkept = append(kept, one)
\t}
}
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


@pytest.mark.parametrize("subject", ["reader(read).compute", "foreign.hash.New", "(~r0).Depth"])
def test_machine_code_tells_a_bound_method_that_no_declaration_tells(subject: str) -> None:
    fact = _heap(subject, (subject, "spill"), (f"other.x = {subject}", "assign"))
    closure = _call("newobject", "struct { F uintptr; R shop.reader }")
    (bound,) = _found(14, fact, calls=(closure,))
    assert (bound.pattern, bound.agreement) == ("method-value", Agreement.AGREE)
    literal = _call("newobject", "struct { F uintptr; X0 shop.reader }")
    for calls in ((closure, _call("convTstring")), (literal,), ()):
        assert "method-value" not in {one.pattern for one in _found(14, fact, calls=calls)}


def test_a_closure_that_another_one_holds_is_not_boxed() -> None:
    steps = (("func literal", "spill"), ("func literal", "captured by a closure"))
    fact = _heap("func literal", *steps, to="{storage for func literal}")
    assert _found(14, fact)[0].message == "closure captured by a closure, which is on the heap"


def test_the_compilers_name_of_an_unnamed_result_is_not_shown() -> None:
    for callee, shown in ((".autotmp_5.Value", "(...).Value"), (".autotmp_5", "an unnamed value")):
        fact = _heap("key{...}", ("key{...}", "spill"), (f"{callee}(key{{...}})", "call parameter"))
        assert _found(14, fact)[0].message == f"boxed into an interface, passed to {shown}"


@pytest.mark.parametrize(
    ("before", "message"),
    [
        ("buf = fixed[:0]", "slice grows by append"),
        ("var buf []byte", "slice grows by append"),
        ("buf = append(buf, 1)", "slice grows by append in a loop"),
        ("if buf == nil {\n\t\tbuf = make([]byte, 0, 8)\n\t\t}", "slice grows by append in a loop"),
        ("other = fixed[:0]", "slice grows by append in a loop"),
    ],
)
def test_a_slice_that_begins_anew_does_not_grow_from_turn_to_turn(before: str, message: str) -> None:
    source = (
        f"package shop\n\nfunc f(xs []byte) {{\n\tfor _, x := range xs {{\n\t\t{before}\n"
        "\t\tbuf = append(buf, x)\n\t}\n}\n"
    )
    line = source.partition("append(buf, x)")[0].count("\n") + 1
    at = Position(FILE, line, 2)
    stays = CompilerFact(FactKind.STACK, at, "f", "shop", "append does not escape", "append", at)
    one = Evidence(Site(FILE, line, 0, "f", "shop"), (stays,), calls=(_call("growslice"),))
    (finding,) = judge([one], Context((1, 27), {FILE: source}))
    assert finding.message == message
    assert message.endswith("loop") or not any("make(" in fix.title and "buf" in fix.title for fix in finding.fixes)


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


def test_an_append_to_a_slice_with_a_capacity_is_not_said_to_grow() -> None:
    site = Site(FILE, 29, 0, "h", "shop")
    calls = (AllocatorCall(site, "runtime.growslice", "int", 8),)
    (finding,) = _found(29, calls=calls)
    assert (finding.pattern, finding.subject) == ("append-growth", "kept")
    assert finding.message == "append to a slice made with a capacity: allocates only beyond it"


def test_what_is_copied_is_not_said_to_be_appended() -> None:
    (finding,) = _found(14, _heap("&T{...}", ("&T{...}", "spill"), ("copy(to, from)", "copied slice")))
    assert (finding.pattern, finding.message) == ("pointer-store", "copied by copy(to, from)")


def test_a_part_of_a_value_that_is_passed_on_is_held_by_it() -> None:
    part = _heap("&T{...}", ("&T{...}", "spill"), ("H{...}", "struct literal element"), to="{storage for &H{...}}")
    passed = Flow("{heap}", "h", (FlowStep("keep(h)", "call parameter", FILE, 14, 2),))
    (finding,) = _found(14, replace(part, flow=(*part.flow, passed)))
    assert (finding.pattern, finding.message) == ("contained-value", "held by &H{...}, which is on the heap")
    (finding,) = _found(14, replace(part, flow=(replace(part.flow[0], to="{temp}"), passed)))
    assert finding.pattern != "contained-value", "a temporary is no holder"


def test_a_closure_is_not_made_by_a_call_for_another_type() -> None:
    fact = _heap("func literal", ("func literal", "spill"), ("keep(func literal)", "call parameter"))
    site = Site(FILE, 14, 0, "f", "shop")
    for kind, agreement in (("[]string", "never-allocates"), ("struct { F uintptr; X0 int }", "agree"), ("", "agree")):
        found = _found(14, fact, calls=(AllocatorCall(site, "runtime.newobject", kind, 8, CallPath.ALWAYS),))
        assert found[0].agreement == agreement


WAYS = """package shop

import "io"

type server struct{ sessions map[string]*counter }

var known = map[int]bool{1: true, 2: true}

var pages = map[string]*counter{}

func (s *server) put(id string, r int) {
\ts.sessions[id] = &counter{}
\tcounts := map[string]int{}
\tcounts[id]++
\tx := "x" + id
\tfor range r {
\t\ty := "y" + id
\t}
}

func keep(c *counter) {}
"""


def _advice(line: int, *facts: CompilerFact, call: str = "", callee: str = "", inuse: int = 0) -> list[str]:
    calls = (AllocatorCall(Site(FILE, line, 0, "f", "shop"), f"runtime.{call}", "", 1),) if call else None
    measure = Measure(inuse, 1, 1 << 20, 10)
    callees = (CalleeBytes(callee, callee, measure),) if callee else ()
    one = Evidence(
        Site(FILE, line, 0, "f", "shop"), facts, measure if inuse else Measure(), callees, profiled=True, calls=calls
    )
    return [fix.title for found in judge([one], Context((1, 27), {FILE: WAYS})) for fix in found.fixes]


@pytest.mark.parametrize(
    ("line", "call", "inuse", "advice"),
    [
        (7, "mapassign_fast64", 0, "leave it: a table"),
        (7, "makemap_small", 0, "leave it: a table"),
        (9, "makemap_small", 0, "bound the map: "),
        (12, "mapassign_faststr", 1 << 20, "bound the map if its keys never end"),
        (14, "mapassign_faststr", 0, "presize the map"),
        (14, "mapassign_faststr", 1 << 20, "bound the map if its keys never end"),
    ],
)
def test_a_map_is_presized_only_where_it_is_filled_once(line: int, call: str, inuse: int, advice: str) -> None:
    (told,) = _advice(line, call=call, inuse=inuse)
    assert told.startswith(advice)


@pytest.mark.parametrize(("line", "advice"), [(15, "where it is hot: append"), (17, "append to a strings.Builder")])
def test_a_builder_is_for_loops(line: int, advice: str) -> None:
    (told,) = _advice(line, call="concatstring2")
    assert told.startswith(advice)


@pytest.mark.parametrize(
    ("callee", "variant"),
    [
        ("strconv.FormatFloat", "strconv.AppendFloat"),
        ("fmt.Sprintf", "fmt.Appendf"),
        ("net/netip.AddrPort.String", "AddrPort.AppendTo"),
        ("time.NewTicker", ""),
        ("net/http.(*Client).Get", ""),
        ("shop.load", "let the caller hand in"),
    ],
)
def test_a_buffer_of_the_caller_is_advised_where_a_callee_takes_one(callee: str, variant: str) -> None:
    (told,) = _advice(15, callee=callee)
    assert variant in told
    assert ("with a buffer" in told or "hand in" in told) == bool(variant)


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        ("io.ReadAtLeast(r, x, 4)", "pass a value that is used again"),
        ("(*bufio.Reader).Read(r, x)", "pass a value that is used again"),
        ("(*server).keep(s, x)", "change (*server).keep so that it copies what it keeps"),
        ("keep(x)", "change keep so that it copies what it keeps"),
    ],
)
def test_nobody_is_told_to_change_what_is_not_theirs(call: str, advice: str) -> None:
    fact = _heap("&counter{...}", ("&counter{...}", "spill"), (call, "call parameter"), line=14)
    one = Evidence(Site(FILE, 14, 0, "f", "shop"), (fact,))
    (finding,) = judge([one], Context((1, 27), {FILE: WAYS}))
    assert finding.message.endswith(", which may keep it")
    assert [fix.title for fix in finding.fixes if fix.title.startswith(advice)]
