"""The compiler's verdict and the machine code side by side."""

from dataclasses import replace

import pytest

from whyheap.model.evidence import Agreement, Evidence
from whyheap.model.facts import AllocatorCall, CallPath, CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.finding import Finding
from whyheap.model.measure import Measure
from whyheap.model.site import Position, Site
from whyheap.patterns.context import Context
from whyheap.patterns.judge import judge

SITE = Site("a.go", 4, 0, "F", "p")
AT = Position("a.go", 4, 9)
BYTES = Measure(alloc_bytes=640, alloc_objects=10)


def fact(subject: str, kind: FactKind = FactKind.HEAP) -> CompilerFact:
    verb = "escapes to heap" if kind is FactKind.HEAP else "does not escape"
    steps = (FlowStep(subject, "spill", "a.go", 4, 9), FlowStep(f"return {subject}", "return", "a.go", 4, 2))
    flow = (Flow("~r0", f"&{{storage for {subject}}}", steps),) if kind is FactKind.HEAP else ()
    return CompilerFact(kind, AT, "F", "p", f"{subject} {verb}", subject, AT, flow=flow)


def call(callee: str, path: CallPath = CallPath.ALWAYS) -> AllocatorCall:
    return AllocatorCall(SITE, f"runtime.{callee}", "", 8, path, symbol="p.F")


def found(
    facts: tuple[CompilerFact, ...], calls: tuple[AllocatorCall, ...] | None, direct: Measure | None = None
) -> list[Finding]:
    evidence = Evidence(SITE, facts, direct or Measure(), profiled=direct is not None, calls=calls)
    return judge([evidence], Context((1, 27)))


@pytest.mark.parametrize(
    ("calls", "agreement"),
    [
        (None, Agreement.UNKNOWN),
        ((), Agreement.NEVER_ALLOCATES),
        ((call("newobject"),), Agreement.AGREE),
        ((call("newobject", CallPath.LOOP),), Agreement.AGREE),
        ((call("newobject", CallPath.BRANCH),), Agreement.MAY_ALLOCATE),
        ((call("newobject", CallPath.COLD),), Agreement.MAY_ALLOCATE),
        ((call("mallocgcSmallNoScanSC3"),), Agreement.AGREE),
    ],
)
def test_a_heap_verdict_is_held_against_the_calls_of_its_line(
    calls: tuple[AllocatorCall, ...] | None, agreement: Agreement
) -> None:
    (finding,) = found((fact("&T{}"),), calls)
    assert finding.agreement is agreement
    assert finding.calls == calls


@pytest.mark.parametrize(
    ("callee", "agreement"),
    [
        ("convT64", Agreement.AGREE),  # an ordinary number: explain says that those below 256 are ready
        ("convTstring", Agreement.AGREE),
        ("convT", Agreement.AGREE),
    ],
)
def test_boxing_counts_as_an_allocation(callee: str, agreement: Agreement) -> None:
    (finding,) = found((fact("x.n"),), (call(callee),))
    assert finding.agreement is agreement


@pytest.mark.parametrize(
    ("package", "agreement"),
    [
        ("p", Agreement.NEVER_ALLOCATES),
        ("crypto/internal/fips140", Agreement.MAY_ALLOCATE),
        ("crypto/internal/fips140/drbg", Agreement.MAY_ALLOCATE),
        ("crypto/internal/fips140deps", Agreement.NEVER_ALLOCATES),
    ],
)
def test_boxing_a_constant_allocates_where_constants_are_not_referred_to(package: str, agreement: Agreement) -> None:
    constant = replace(fact('"unreachable"'), package=package)
    (finding,) = found((constant,), (call("convTstring", CallPath.COLD),))
    assert finding.agreement is agreement


def test_measured_bytes_outweigh_a_branch() -> None:
    (finding,) = found((fact("&T{}"),), (call("newobject", CallPath.BRANCH),), BYTES)
    assert finding.agreement is Agreement.AGREE


@pytest.mark.parametrize(
    ("callee", "pattern", "agreement"),
    [
        ("makechan", "channel-creation", Agreement.ALLOCATES_SILENTLY),
        ("mapassign_faststr", "map-storage", Agreement.MAY_ALLOCATE),
        ("makemap_small", "map-storage", Agreement.ALLOCATES_SILENTLY),
        ("concatstring2", "string-concatenation", Agreement.ALLOCATES_SILENTLY),
        ("slicebytetostring", "string-conversion", Agreement.ALLOCATES_SILENTLY),
        ("growslice", "append-growth", Agreement.ALLOCATES_SILENTLY),
        ("growsliceBuf", "append-growth", Agreement.MAY_ALLOCATE),
        ("makeslice", "variable-size-make", Agreement.ALLOCATES_SILENTLY),
    ],
)
def test_what_the_compiler_does_not_mention_is_a_finding_of_its_own(
    callee: str, pattern: str, agreement: Agreement
) -> None:
    (finding,) = found((), (call(callee),))
    assert (finding.pattern, finding.agreement) == (pattern, agreement)
    assert finding.calls == (call(callee),)
    assert finding.measure is None


def test_a_stack_buffer_makes_a_conversion_uncertain() -> None:
    (finding,) = found((fact("string(b)", FactKind.STACK),), (call("slicebytetostring"),))
    assert finding.agreement is Agreement.MAY_ALLOCATE


def test_a_silent_call_in_a_branch_may_allocate() -> None:
    (finding,) = found((), (call("growslice", CallPath.BRANCH),))
    assert finding.agreement is Agreement.MAY_ALLOCATE


def test_a_silent_call_beside_a_heap_value_is_told_apart() -> None:
    findings = found((fact("&T{}"),), (call("newobject"), call("mapassign_faststr")))
    assert {one.pattern == "map-storage": one.agreement for one in findings} == {
        False: Agreement.AGREE,
        True: Agreement.MAY_ALLOCATE,
    }


@pytest.mark.parametrize("callee", ["newobject", "growslice"])
def test_calls_on_the_way_to_a_panic_are_no_findings(callee: str) -> None:
    assert found((), (call(callee, CallPath.COLD),)) == []


def test_a_go_statement_alone_is_no_heap_finding() -> None:
    assert found((), (call("newproc"),)) == []


def test_ids_do_not_depend_on_a_profile() -> None:
    static = found((), (call("makechan"),))
    measured = found((), (call("makechan"),), BYTES)
    assert [one.id for one in static] == [one.id for one in measured]
    assert measured[0].measure == BYTES


def test_bytes_go_to_the_finding_whose_call_made_them() -> None:
    made, grown = call("newobject"), AllocatorCall(SITE, "runtime.growslice", "", 40, CallPath.ALWAYS, symbol="p.F")
    evidence = Evidence(
        SITE,
        (fact("&T{}"), fact("append(s, x)")),
        BYTES + BYTES,
        profiled=True,
        calls=(made, grown),
        call_bytes=((8, BYTES), (40, BYTES)),
    )
    findings = judge([evidence], Context((1, 27)))
    assert [(one.measure, one.shared_with) for one in findings] == [(BYTES, ()), (BYTES, ())]
