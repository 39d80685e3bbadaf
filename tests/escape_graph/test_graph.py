"""Each heap value hangs on one root, whatever the compiler printed, and the roots are those that the source shows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_recording import MODULE, PROGRAM, VERSIONS, facts, line_of
from join_samples import scan
from whyheap.escape_graph import EscapeGraph, hang, path_to_root
from whyheap.escape_graph.hooks import Hook
from whyheap.join import join
from whyheap.model.facts import CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.root import Hold, RootKind
from whyheap.model.scan import Scan
from whyheap.model.site import Position
from whyheap.patterns.context import Context
from whyheap.patterns.judge import judge

SHAPES = f"{MODULE}/shapes"


@cache
def recorded(version: str) -> tuple[Scan, Mapping[str, str], EscapeGraph]:
    packages: dict[str, tuple[list[str], list[CompilerFact]]] = {}
    for fact in facts(version):
        packages.setdefault(fact.package, ([], []))[1].append(fact)
    sources = {}
    for path in sorted(PROGRAM.rglob("*.go")):
        name = path.relative_to(PROGRAM).as_posix()
        sources[name] = path.read_text(encoding="utf-8")
        package = f"{MODULE}/{name.rpartition('/')[0]}"
        packages.setdefault(package, ([], []))[0].append(name)
    whole = scan({path: (files or ["none.go"], there) for path, (files, there) in packages.items()}, module=MODULE)
    return whole, sources, EscapeGraph(whole, sources)


def hooks_at(version: str, text: str, start: str = "") -> list[Hook]:
    graph = recorded(version)[2]
    line = line_of("shapes/values.go", text)
    return [
        graph.hook_of(number)[0]
        for number in graph.heap_facts
        if (graph.facts[number].printed_at.file, graph.facts[number].printed_at.line) == ("shapes/values.go", line)
        and graph.facts[number].message.startswith(start)
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("text", "start", "kind", "function", "subject"),
    [
        ("func Address(n int)", "&Point", RootKind.RESULT, "Address", "~r0"),
        ("func Moved(n int)", "moved to heap: n", RootKind.RESULT, "Moved", "~r0"),
        ("VariadicKept(&Point{n, n}, nil)", "&Point", RootKind.PARAMETER, "VariadicKept", "parts"),
        ('kept = "flow:', "", RootKind.GLOBAL, "", "kept"),
        ("fmt.Println(strings.Repeat", "", RootKind.CALLEE, "fmt.Println", ""),
        ("out = append(out, &Point{X: id, Y: i})", "&Point", RootKind.APPEND, "Grow", "append(out, &Point{...})"),
        ("c <- &Point{}", "", RootKind.SEND, "MapAndChannel", "c <- (&Point{})"),
        ("func OneLine(s string)", "s escapes", RootKind.RESULT, "OneLine", "~r0"),
    ],
)
def test_roots_of_the_recorded_program(
    version: str, text: str, start: str, kind: RootKind, function: str, subject: str
) -> None:
    found = {(hook.kind, hook.function, hook.subject) for hook in hooks_at(version, text, start)}
    assert (kind, function, subject) in found
    assert len({hook.kind for hook in hooks_at(version, text, start)}) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_every_heap_value_has_one_root_and_a_path_to_it(version: str) -> None:
    whole, sources, graph = recorded(version)
    found = judge(join(whole, None).evidence, Context((1, 27), sources))
    hanging = hang(found, graph)
    known = {root.id: root for root in hanging.roots}
    assert len(known) == len(hanging.roots)
    for finding in hanging.findings:
        if finding.facts and finding.facts[0].kind is FactKind.HEAP:
            assert finding.root in known
            steps = path_to_root(graph, finding.facts[0])
            assert steps[-1].hold is Hold.ROOT
            assert [step.hold for step in steps].count(Hold.ROOT) == 1
    assert sum(len(root.findings) for root in hanging.roots) == sum(one.root is not None for one in hanging.findings)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_part_of_the_findings_keeps_the_names_of_roots(version: str) -> None:
    whole, sources, graph = recorded(version)
    hanging = hang(judge(join(whole, None).evidence, Context((1, 27), sources)), graph)
    part = hanging.findings[::3]
    assert {root.id for root in hanging.under(part)} == {one.root for one in part if one.root is not None}
    assert all(root.sites <= len(root.findings) for root in hanging.under(part))
    again = hang(judge(join(whole, None).evidence, Context((1, 27), sources)), EscapeGraph(whole, {}))
    assert len(again.findings) == len(hanging.findings)  # without any source too


def flow(to: str, from_: str, *steps: tuple[str, str]) -> Flow:
    return Flow(to, from_, tuple(FlowStep(expr, reason, "a.go", 3, 2) for expr, reason in steps))


def made(
    subject: str, function: str, line: int, *flows: Flow, kind: FactKind = FactKind.HEAP, moved: bool = False
) -> CompilerFact:
    at = Position("a.go", line, 2)
    message = f"leaking param: {subject}" if kind is FactKind.PARAM_LEAK else f"{subject} escapes to heap"
    message = f"moved to heap: {subject}" if moved else message
    return CompilerFact(kind, at, function, "example.com/shop/cache", message, subject, at, (), flows)


def hooks(*found: CompilerFact) -> list[Hook]:
    graph = EscapeGraph(scan({"example.com/shop/cache": (["a.go"], found)}), {})
    return [graph.hook_of(number)[0] for number in graph.heap_facts]


def test_a_value_hangs_on_the_last_parameter_of_the_scan() -> None:
    call = made("&T{}", "F", 1, flow("{heap}", "&{storage for &T{}}", ("&T{}", "spill"), ("g(&T{})", "call parameter")))
    g = made("p", "g", 5, flow("{heap}", "p", ("h(p)", "call parameter")), kind=FactKind.PARAM_LEAK)
    h = made("q", "h", 9, flow("{heap}", "q", ("kept = q", "assign")), kind=FactKind.PARAM_LEAK)
    assert [(one.kind, one.function, one.subject) for one in hooks(call, g, h)] == [(RootKind.PARAMETER, "h", "q")]


def test_what_is_part_of_another_value_hangs_on_its_root() -> None:
    part = made(
        "&T{}", "F", 1, flow("{storage for &U{...}}", "&{storage for &T{}}", ("U{...}", "struct literal element"))
    )
    whole = made("&U{...}", "F", 3, flow("~r0", "&{storage for &U{...}}", ("return &U{...}", "return")))
    assert {(one.kind, one.subject) for one in hooks(part, whole)} == {(RootKind.RESULT, "~r0")}


def test_parameters_that_only_pass_a_value_around_are_one_root() -> None:
    call = made("&T{}", "F", 1, flow("{heap}", "&{storage for &T{}}", ("g(&T{})", "call parameter")))
    g = made("p", "g", 5, flow("{heap}", "p", ("h(p)", "call parameter")), kind=FactKind.PARAM_LEAK)
    h = made("q", "h", 9, flow("{heap}", "q", ("g(q)", "call parameter")), kind=FactKind.PARAM_LEAK)
    other = made("&U{}", "E", 2, flow("{heap}", "&{storage for &U{}}", ("h(&U{})", "call parameter")))
    found = hooks(call, g, h, other)
    assert found[0] == found[1]
    assert found[0].kind is RootKind.PARAMETER


NAMES = ("x", "y", "&T{}", "... argument", "func literal", "p", "")
TARGETS = ["{heap}", "{temp}", "~r0", "~r1", "x", "y", "p", "{storage for x}", "{storage for &T{}}", "pkg.v", "", "*x"]
EXPRS = [
    "f(x)",
    "g(p, x)",
    "(*T).M(x, y)",
    "s.Put(x)",
    'fmt.Sprintf("a(", ... argument...)',
    "x = y",
    "x, y = y, x",
    "p := x",
    "m[x]",
    "c <- x",
    "append(x, y)",
    "panic(x)",
    "return x",
    "func literal",
    'f("cut off..., x)',
    ")",
    "",
    "x.y.z(",
    "(((",
]
REASONS = [
    "spill",
    "call parameter",
    "assign",
    "assign-pair",
    "return",
    "send",
    "reference",
    "key of map put",
    "too large for stack",
    "struct literal element",
    "interface-converted",
    "address-of",
    "",
]
STEPS = st.builds(
    FlowStep, st.sampled_from(EXPRS), st.sampled_from(REASONS), st.sampled_from(["a.go", "", "b.go"]),
    st.integers(0, 6), st.integers(0, 9),
)  # fmt: skip
FLOWS = st.builds(
    Flow, st.sampled_from(TARGETS), st.sampled_from(TARGETS), st.lists(STEPS, max_size=3).map(tuple)
)  # fmt: skip
FACTS = st.lists(
    st.builds(
        lambda subject, function, line, flows, kind, moved: made(
            subject, function, line, *flows, kind=kind, moved=moved
        ),
        st.sampled_from(NAMES),
        st.sampled_from(["f", "g", "(*T).M", "F.func1", "", "G[go.shape.int]"]),
        st.integers(0, 6),
        st.lists(FLOWS, max_size=3),
        st.sampled_from([FactKind.HEAP, FactKind.PARAM_LEAK, FactKind.STACK]),
        st.booleans(),
    ),
    max_size=12,
)
SOURCE = "package cache\n\nfunc f(x *T) { g(x, x)\n\tp := x; return x }\nfunc g(p, x *T) *T { return p }\n"


@given(FACTS, st.booleans(), st.randoms())
def test_any_facts_give_a_graph_in_which_each_value_has_one_root(
    found: list[CompilerFact],
    has_source: bool,  # noqa: FBT001
    random: object,
) -> None:
    sources = {"a.go": SOURCE} if has_source else {}
    whole = scan({"example.com/shop/cache": (["a.go"], found)})
    graph = EscapeGraph(whole, sources)
    numbers = list(graph.heap_facts)
    assert len(numbers) == sum(one.kind is FactKind.HEAP for one in found)
    first = {number: graph.hook_of(number) for number in numbers}
    random.shuffle(numbers)  # type: ignore[attr-defined]
    other = EscapeGraph(whole, sources)
    assert {number: other.hook_of(number) for number in numbers} == first  # whichever is asked for first
    for number in numbers:
        assert path_to_root(graph, graph.facts[number])
    hanging = hang(judge(join(whole, None).evidence, Context((1, 27), sources)), graph)
    held = [one for root in hanging.roots for one in root.findings]
    assert len(held) == len(set(held)) == sum(one.root is not None for one in hanging.findings)
