"""Judging keeps books: no heap fact and no measured byte is lost, none is counted twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from whyheap.model.evidence import Agreement, CalleeBytes, Evidence
from whyheap.model.facts import AllocatorCall, CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.finding import Certainty, Finding
from whyheap.model.measure import Measure
from whyheap.model.site import Position, Site
from whyheap.patterns.context import Context
from whyheap.patterns.judge import _merged, explained, judge

PACKAGE = "example.test/shop"


def _fact(
    subject: str, *flows: tuple[str, tuple[tuple[str, str], ...]], line: int = 1, column: int = 2
) -> CompilerFact:
    at = Position("a.go", line, column)
    flow = tuple(
        Flow(to, "&x", tuple(FlowStep(expr, reason, "a.go", line, column) for expr, reason in steps))
        for to, steps in flows
    )
    return CompilerFact(FactKind.HEAP, at, "f", PACKAGE, f"{subject} escapes to heap", subject, at, (), flow)


SPRINTF = (
    ("{storage for ... argument}", (("n", "spill"), ("... argument", "slice-literal-element"))),
    ("{heap}", (("... argument", "spill"), ("fmt.Sprintf(f, ... argument...)", "call parameter"))),
)
RETURNED = (("~r0", (("x", "spill"), ("return x", "return"))),)
KEPT = (("{heap}", (("&x", "spill"), ("keep(&x)", "call parameter"))),)
UNKNOWN = (("{heap}", (("x", "from another planet"),)),)
FACTS = [
    _fact("n", *SPRINTF, column=9),
    _fact('"x"', *SPRINTF, column=12),
    _fact("n", *RETURNED, column=3),
    _fact("&T{...}", *RETURNED, column=4),
    _fact("7", *RETURNED, column=5),
    _fact("&x", *KEPT, column=6),
    _fact("x", *UNKNOWN, column=7),
    _fact("append(a, b)", *RETURNED, column=8),
    _fact("x", column=1),
]
MEASURES = st.builds(Measure, *(st.integers(0, 10**12) for _ in range(4)))
CALLEES = st.builds(
    CalleeBytes,
    st.sampled_from(["fmt.Sprintf", f"{PACKAGE}.keep", "strings.Repeat"]),
    st.sampled_from(["a.b", "c.d"]),
    MEASURES,
)
EVIDENCE = st.builds(
    Evidence,
    st.integers(1, 4).map(lambda line: Site("a.go", line, 0, "f", PACKAGE)),
    st.lists(st.sampled_from(FACTS), max_size=5).map(tuple),
    MEASURES,
    st.lists(CALLEES, max_size=4).map(tuple),
    st.just(True),  # noqa: FBT003 - a field of Evidence
)
SOURCES = st.sampled_from([{}, {"a.go": "package shop\n\nfunc f() {\n\ts += x\n}\n"}])


@settings(max_examples=300, deadline=None)
@given(st.lists(EVIDENCE, max_size=6), SOURCES)
def test_every_fact_and_every_byte_ends_in_a_finding_once(lines: list[Evidence], sources: dict[str, str]) -> None:
    findings = judge(lines, Context((1, 27), sources))
    assert explained(findings) == sum((one.measure for one in lines), Measure())
    held = Counter(id(fact) for one in findings for fact in one.facts)
    assert held == Counter(id(fact) for one in lines for fact in one.facts)
    assert len({one.id for one in findings}) == len(findings)
    assert judge(lines, Context((1, 27), sources)) == findings


@given(st.lists(EVIDENCE, max_size=6))
def test_what_is_measured_says_so(lines: list[Evidence]) -> None:
    for finding in judge(lines, Context((1, 27))):
        assert (finding.certainty is Certainty.MEASURED) == bool(finding.measure)
        if finding.agreement is Agreement.NEVER_ALLOCATES:
            assert not finding.measure


def _judge(*lines: Evidence) -> list[Finding]:
    return judge(lines, Context((1, 27)))


def _line(number: int, *facts: CompilerFact, direct: int = 0, callees: tuple[CalleeBytes, ...] = ()) -> Evidence:
    return Evidence(
        Site("a.go", number, 0, "f", PACKAGE),
        facts,
        Measure(0, 0, direct, direct),
        callees,
        profiled=bool(direct or callees),
    )


def test_a_calls_bytes_go_to_the_argument_that_names_it() -> None:
    called = CalleeBytes("fmt.Sprintf", "fmt.Sprintf", Measure(alloc_bytes=100))
    (finding,) = _judge(_line(1, _fact("n", *SPRINTF), direct=8, callees=(called,)))
    assert finding.pattern == "variadic-any"
    assert finding.measure == Measure(0, 0, 108, 8)
    assert finding.callees == (called,)
    assert finding.agreement is Agreement.AGREE


def test_a_constant_argument_takes_no_bytes() -> None:
    called = CalleeBytes("fmt.Sprintf", "fmt.Sprintf", Measure(alloc_bytes=100))
    constant, other = _judge(_line(1, _fact('"x"', *SPRINTF), callees=(called,)))
    assert (constant.agreement, constant.measure) == (Agreement.NEVER_ALLOCATES, Measure())
    assert (other.pattern, other.subject) == ("callee-allocation", "fmt.Sprintf")


def test_findings_of_a_line_share_its_bytes_and_name_each_other() -> None:
    first, second = _judge(
        _line(1, _fact("&T{...}", *RETURNED, column=3), _fact("&U{...}", *RETURNED, column=9), direct=50)
    )
    assert first.measure == second.measure == Measure(0, 0, 50, 50)
    assert (first.shared_with, second.shared_with) == ((second.id,), (first.id,))
    assert explained([first, second]) == Measure(0, 0, 50, 50)


def test_ids_survive_moved_lines_and_renamed_files() -> None:
    before = _judge(_line(1, _fact("&T{...}", *RETURNED)), _line(2, _fact("&T{...}", *RETURNED, line=2)))
    moved = [
        Evidence(Site("z/b.go", line, 0, "f", PACKAGE), (_fact("&T{...}", *RETURNED, line=line, column=7),))
        for line in (41, 73)
    ]
    assert [one.id for one in judge(moved, Context((1, 22)))] == [one.id for one in before]
    assert len({one.id for one in before}) == 2


def test_the_way_to_the_heap_that_is_printed_of_several_is_not_in_an_id() -> None:
    first, second = (_judge(_line(1, _fact("&x", *flows)))[0] for flows in (RETURNED, KEPT))
    assert first.pattern != second.pattern
    assert first.id == second.id


def test_numbers_of_closures_and_of_init_functions_are_not_in_ids() -> None:
    fact = _fact("&x", *RETURNED)
    for one, other in (
        ("init.0", "init.1"),
        ("f.func1.2", "f.func3.1"),
        ("glob..func1", "glob..func2"),
        ("f-range1", "f-range2"),
    ):
        first, second = (_judge(_line(1, replace(fact, function=function)))[0].id for function in (one, other))
        assert first == second
    assert _judge(_line(1, replace(fact, function="f1")))[0].id != _judge(_line(1, replace(fact, function="f2")))[0].id


def test_layout_and_comments_are_not_in_ids_of_what_machine_code_shows() -> None:
    call = AllocatorCall(Site("a.go", 1, 0, "f", PACKAGE), "runtime.concatstring2", "", 0)
    line = Evidence(Site("a.go", 1, 0, "f", PACKAGE), calls=(call,))
    texts = ('s += "a  b" // note', 's  +=  "a  b"')
    ids = {judge([line], Context((1, 27), {"a.go": text}))[0].id for text in texts}
    assert len(ids) == 1


def test_ids_do_not_depend_on_the_order_of_evidence() -> None:
    lines = [_line(1, _fact("&T{...}", *RETURNED)), _line(2, _fact("&T{...}", *RETURNED, line=2))]
    assert {one.site.line: one.id for one in _judge(*lines)} == {one.site.line: one.id for one in _judge(*lines[::-1])}


def _appended(*numbers: int, function: str = "f") -> list[Evidence]:
    told = CompilerFact(
        FactKind.STACK,
        Position("a.go", 1, 2),
        function,
        PACKAGE,
        "append does not escape",
        "",
        Position("a.go", 1, 2),
    )
    return [_line(number, told, direct=9) for number in numbers]


def test_findings_that_only_a_profile_shows_leave_the_compilers_ids_alone() -> None:
    facts = [_line(2, _fact("&T{...}", *RETURNED, line=2)), _line(4, _fact("append(a, b)", *RETURNED, line=4))]
    static = {one.id for one in _judge(*facts)}
    profiled = _judge(*_appended(1, 3), *facts, *_appended(5))
    assert {one.id for one in profiled if one.agreement is not Agreement.ALLOCATES_SILENTLY} == static
    assert len({one.id for one in profiled}) == 5


def test_a_line_that_this_profile_did_not_sample_moves_no_id() -> None:
    context = Context((1, 27), {"a.go": "a = append(a, 1)\nb = append(b, 2)\n\n\tb  =  append(b, 3)\n"})
    one, two, three = judge(_appended(1, 2, 4), context)
    assert [finding.id for finding in judge(_appended(2, 4), context)] == [two.id, three.id]
    assert [finding.id for finding in judge(_appended(4), context)] == [three.id]
    laid_out = Context((1, 27), {"a.go": "\n\n\nb = append( b,3 ) // a note\n"})
    assert [finding.id for finding in judge(_appended(4), laid_out)] == [three.id]
    assert len({one.id, two.id, three.id}) == 3


def test_the_profiles_name_of_a_function_is_not_in_an_id() -> None:
    fact = _fact("&T{...}", *RETURNED)
    named = [Evidence(Site("a.go", 1, 0, function, PACKAGE), (fact,)) for function in ("f", "main.main.func2.func3")]
    first, second = (judge([one], Context((1, 27)))[0] for one in named)
    assert (first.id, first.site) == (second.id, second.site)
    assert second.site.function == "f"


def test_the_receiver_of_a_bound_method_is_not_taken_for_a_global() -> None:
    bound = (("c", (("x", "spill"), ("c := &T{...}", "assign"))), ("{temp}", ()), ("{heap}", ()))
    (finding,) = _judge(_line(1, _fact("&T{...}", *bound)))
    assert finding.pattern == "method-value"


def test_without_a_profile_nothing_is_measured() -> None:
    (finding,) = _judge(_line(1, _fact("&T{...}", *RETURNED)))
    assert finding.measure is None
    assert finding.certainty is Certainty.STATED
    assert finding.agreement is Agreement.UNKNOWN


def test_bytes_without_a_reason_are_named_other() -> None:
    (finding,) = _judge(_line(1, direct=9))
    assert (finding.pattern, finding.agreement) == ("other", Agreement.ALLOCATES_SILENTLY)


def test_repeats_of_one_fact_are_one_finding() -> None:
    fact = _fact("&T{...}", *RETURNED)
    (finding,) = _judge(_line(1, fact, fact))
    assert finding.facts == (fact, fact)


def test_merged_findings_keep_the_calls_of_all() -> None:
    site = Site("a.go", 1, 0, "f", PACKAGE)
    first, second = (AllocatorCall(site, "runtime.newobject", kind, 8, symbol=kind) for kind in ("a.T", "b.T"))
    fact = _fact("&T{...}", *RETURNED)
    (one,) = _judge(replace(_line(1, fact), calls=(first,)))
    (two,) = _judge(replace(_line(1, fact), calls=(first, second)))
    (merged,) = _merged([one, two])
    assert merged.calls == (first, second)
    assert merged.facts == (fact, fact)
