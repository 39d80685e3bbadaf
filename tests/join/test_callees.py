"""Whether functions allocate, callees included."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from whyheap.join.callees import Callees, Verdict, allocates, by_symbol
from whyheap.model.facts import AllocatorCall, CallPath
from whyheap.model.machine_code import Allocates, CodeCall, FunctionCode
from whyheap.model.site import Site

ALWAYS, MAY, NEVER, UNKNOWN = Allocates.ALWAYS, Allocates.MAY, Allocates.NEVER, Allocates.UNKNOWN
Program = dict[str, FunctionCode]


def function(
    symbol: str, alone: Allocates = NEVER, calls: dict[str, CallPath] | None = None, package: str = "main"
) -> FunctionCode:
    site = Site("main.go", 1, 0, symbol.partition(".")[2], package)
    own = (AllocatorCall(site, "runtime.newobject", "int", 0, CallPath.ALWAYS),) if alone is not NEVER else ()
    callees = tuple(CodeCall(callee, path) for callee, path in (calls or {}).items())
    return FunctionCode(site, symbol, 0, 8, own, callees, (), alone)


def program(*functions: FunctionCode) -> Callees:
    codes = {one.symbol: one for one in functions}
    return Callees(lambda symbol, _near: codes.get(symbol))


def test_own_allocation_decides_and_names_the_allocator() -> None:
    told = program(function("main.A", ALWAYS))
    assert told.allocates("main.A") == Verdict(ALWAYS, ("runtime.newobject",))


def test_a_callee_on_every_path_is_the_callers_and_via_is_the_chain() -> None:
    told = program(
        function("main.A", NEVER, {"main.B": CallPath.ALWAYS}),
        function("main.B", NEVER, {"main.C": CallPath.ALWAYS}),
        function("main.C", ALWAYS),
    )
    assert told.allocates("main.A") == Verdict(ALWAYS, ("main.B", "main.C", "runtime.newobject"))


def test_a_callee_on_some_path_makes_it_may() -> None:
    for path in (CallPath.BRANCH, CallPath.LOOP):
        told = program(function("main.A", NEVER, {"main.B": path}), function("main.B", ALWAYS))
        assert told.allocates("main.A").allocates is MAY


def test_a_callee_before_a_panic_does_not_count() -> None:
    told = program(function("main.A", NEVER, {"main.B": CallPath.COLD}), function("main.B", ALWAYS))
    assert told.allocates("main.A") == Verdict(NEVER)


def test_code_that_was_not_seen_is_unknown_on_every_path_and_may_on_some() -> None:
    for callee in ("", "main.Missing"):
        assert program(function("main.A", NEVER, {callee: CallPath.ALWAYS})).allocates("main.A").allocates is UNKNOWN
        assert program(function("main.A", NEVER, {callee: CallPath.BRANCH})).allocates("main.A").allocates is MAY
    assert program().allocates("main.Missing") == Verdict(UNKNOWN)
    assert program(function("main.A", NEVER, {"main.Missing": CallPath.ALWAYS})).allocates("main.A").via == (
        "main.Missing",
    )


def test_what_is_known_decides_before_what_is_not() -> None:
    told = program(
        function("main.A", NEVER, {"": CallPath.ALWAYS, "main.B": CallPath.ALWAYS}),
        function("main.B", ALWAYS),
        function("main.C", MAY, {"": CallPath.ALWAYS}),
    )
    assert told.allocates("main.A").allocates is ALWAYS
    assert told.allocates("main.C").allocates is MAY


def test_a_circle_adds_nothing_of_its_own() -> None:
    told = program(
        function("main.A", NEVER, {"main.B": CallPath.ALWAYS}),
        function("main.B", NEVER, {"main.A": CallPath.BRANCH}),
    )
    assert told.allocates("main.A") == Verdict(NEVER)
    assert told.allocates("main.B") == Verdict(NEVER)


def test_a_circle_with_an_allocation_allocates_all_around() -> None:
    told = program(
        function("main.A", NEVER, {"main.B": CallPath.ALWAYS}),
        function("main.B", NEVER, {"main.A": CallPath.BRANCH, "main.C": CallPath.BRANCH}),
        function("main.C", ALWAYS),
    )
    assert told.allocates("main.A") == Verdict(MAY, ("main.B", "main.C", "runtime.newobject"))


def test_the_runtimes_functions_are_known_without_their_code() -> None:
    told = program(function("main.A", NEVER, {"runtime.mapaccess1": CallPath.ALWAYS}))
    assert told.allocates("main.A") == Verdict(NEVER)
    assert told.allocates("runtime.newobject") == Verdict(ALWAYS)


def test_an_instance_is_looked_up_where_it_is_used() -> None:
    asked: dict[str, str] = {}
    codes = {
        "main.A": function("main.A", NEVER, {"slices.Sort[go.shape.int]": CallPath.ALWAYS}),
        "slices.Sort[go.shape.int]": function(
            "slices.Sort[go.shape.int]", NEVER, {"slices.order[go.shape.int]": CallPath.ALWAYS}, "slices"
        ),
    }

    def lookup(symbol: str, near: str) -> FunctionCode | None:
        asked[symbol] = near
        return codes.get(symbol)

    assert allocates("main.A", lookup).allocates is UNKNOWN
    assert asked == {"main.A": "", "slices.Sort[go.shape.int]": "main", "slices.order[go.shape.int]": "main"}


def test_what_lies_beyond_the_bound_counts_as_not_seen() -> None:
    chain = [function(f"main.F{n}", NEVER, {f"main.F{n + 1}": CallPath.ALWAYS}) for n in range(50)]
    codes = {one.symbol: one for one in (*chain, function("main.F50", ALWAYS))}
    assert Callees(lambda symbol, _: codes.get(symbol), 10).allocates("main.F0").allocates is UNKNOWN
    assert Callees(lambda symbol, _: codes.get(symbol)).allocates("main.F0").allocates is ALWAYS


def test_instances_that_share_a_name_do_what_some_of_them_do() -> None:
    one = function("main.Map[...]", ALWAYS, {"main.B": CallPath.ALWAYS, "main.C": CallPath.ALWAYS})
    other = function("main.Map[...]", NEVER, {"main.B": CallPath.LOOP})
    (united,) = by_symbol([one, other]).values()
    assert united.alone is MAY
    assert {call.callee: call.path for call in united.callees} == {"main.B": CallPath.LOOP, "main.C": CallPath.BRANCH}
    assert by_symbol([one, one])["main.Map[...]"].alone is ALWAYS


def test_of_a_function_and_its_wrapper_the_function_counts() -> None:
    wrapper, real = function("main.F", NEVER, {"main.F": CallPath.ALWAYS}), replace(function("main.F"), size_bytes=99)
    assert by_symbol([wrapper, real]) == by_symbol([real, wrapper]) == {"main.F": real}


@st.composite
def programs(draw: st.DrawFn) -> Program:
    size = draw(st.integers(1, 7))
    symbols = [f"main.F{number}" for number in range(size)]
    targets = st.sampled_from([*symbols, ""])
    calls = st.dictionaries(targets, st.sampled_from(list(CallPath)), max_size=3)
    levels = st.sampled_from([NEVER, NEVER, NEVER, MAY, ALWAYS])
    return {symbol: function(symbol, draw(levels), draw(calls)) for symbol in symbols}


@given(programs(), st.randoms())
def test_the_order_of_questions_does_not_matter(codes: Program, random: object) -> None:
    del random
    together = Callees(lambda symbol, _: codes.get(symbol))
    for symbol in reversed(list(codes)):
        alone = allocates(symbol, lambda wanted, _: codes.get(wanted))
        assert together.allocates(symbol).allocates is alone.allocates


@given(programs())
def test_only_functions_that_reach_an_allocation_or_something_unseen_are_not_never(codes: Program) -> None:
    told = Callees(lambda symbol, _: codes.get(symbol))
    for symbol in codes:
        reached, waiting = {symbol}, [symbol]
        while waiting:
            for call in codes[waiting.pop()].callees:
                if call.path is not CallPath.COLD and call.callee in codes and call.callee not in reached:
                    reached.add(call.callee)
                    waiting.append(call.callee)
        is_quiet = all(
            codes[one].alone is NEVER and all(call.callee or call.path is CallPath.COLD for call in codes[one].callees)
            for one in reached
        )
        assert (told.allocates(symbol).allocates is NEVER) == is_quiet
