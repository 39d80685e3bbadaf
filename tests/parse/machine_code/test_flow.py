"""Control flow: blocks, and which of them lie on all paths."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from whyheap.model.facts import CallPath
from whyheap.parse.machine_code import flow
from whyheap.parse.machine_code.path_cuts import Edges, cut_nodes, reachable
from whyheap.parse.machine_code.transfer import Kind, Transfer

ALWAYS, LOOP, BRANCH, COLD = CallPath.ALWAYS, CallPath.LOOP, CallPath.BRANCH, CallPath.COLD


def graph_of(successors: dict[int, list[int]], exits: set[int]) -> flow.Graph:
    return flow.Graph(list(range(len(successors))), [successors[node] for node in sorted(successors)], exits)


def paths(successors: dict[int, list[int]], exits: set[int]) -> list[CallPath]:
    return flow.paths(graph_of(successors, exits)).of_block


def test_a_straight_line_is_always_and_a_diamond_branches() -> None:
    assert paths({0: [1], 1: []}, {1}) == [ALWAYS, ALWAYS]
    assert paths({0: [1, 2], 1: [3], 2: [3], 3: []}, {3}) == [ALWAYS, BRANCH, BRANCH, ALWAYS]


def test_a_block_without_a_way_out_is_cold() -> None:
    assert paths({0: [1, 2], 1: [], 2: []}, {2}) == [ALWAYS, COLD, ALWAYS]


def test_a_loop_tested_at_its_head_is_entered_once() -> None:
    assert paths({0: [1], 1: [2, 3], 2: [1], 3: []}, {3}) == [ALWAYS, ALWAYS, LOOP, ALWAYS]


def test_nested_loops_are_each_entered_once_and_branches_in_them_are_branches() -> None:
    nested = {0: [1], 1: [2, 6], 2: [3, 5], 3: [4, 2], 4: [2], 5: [1], 6: []}
    assert paths(nested, {6}) == [ALWAYS, ALWAYS, LOOP, LOOP, BRANCH, LOOP, ALWAYS]


def test_a_loop_tested_at_its_end_runs_always() -> None:
    assert paths({0: [1], 1: [1, 2], 2: []}, {2}) == [ALWAYS, ALWAYS, ALWAYS]


def test_an_endless_loop_is_a_way_to_end() -> None:
    assert paths({0: [1], 1: [2], 2: [1]}, set()) == [ALWAYS, ALWAYS, ALWAYS]
    assert paths({0: [1, 2], 1: [1], 2: []}, {2}) == [ALWAYS, BRANCH, BRANCH]


def test_a_loop_before_a_panic_is_cold_no_matter_how_often_it_runs() -> None:
    assert paths({0: [1, 3], 1: [1, 2], 2: [], 3: []}, {3})[0] is ALWAYS


def test_several_blocks_together_cover_all_paths() -> None:
    graph = graph_of({0: [1, 2], 1: [3], 2: [3], 3: []}, {3})
    known = flow.paths(graph)
    assert flow.all_pass(graph, known, {1, 2})
    assert flow.all_pass(graph, known, {3})
    assert not flow.all_pass(graph, known, {1})
    assert not flow.all_pass(graph, known, set())


def test_growing_the_stack_is_no_loop_and_a_call_that_never_returns_ends_its_block() -> None:
    transfers = [
        Transfer(4, 6, Kind.BRANCH, 30),
        Transfer(10, 12, Kind.BRANCH, 20),
        Transfer(14, 15, Kind.RETURN, -1),
        Transfer(20, 25, Kind.CALL, 900),
        Transfer(30, 35, Kind.CALL, 901),
        Transfer(35, 37, Kind.JUMP, 0),
    ]
    callees = {20: "runtime.gopanic", 30: "runtime.morestack_noctxt"}
    graph = flow.build(40, transfers, callees, lambda name: name == "runtime.gopanic")
    told = flow.paths(graph).of_block
    by_offset = {offset: told[graph.block_at(offset)] for offset in (0, 6, 12, 20, 30)}
    assert by_offset == {0: ALWAYS, 6: ALWAYS, 12: ALWAYS, 20: COLD, 30: COLD}


def test_the_return_after_a_recovered_panic_is_no_path() -> None:
    transfers = [
        Transfer(0, 5, Kind.CALL, 900),
        Transfer(7, 9, Kind.BRANCH, 30),
        Transfer(10, 15, Kind.CALL, 901),
        Transfer(20, 21, Kind.RETURN, -1),
        Transfer(30, 35, Kind.CALL, 902),
        Transfer(35, 36, Kind.RETURN, -1),
    ]
    callees = {0: "runtime.deferproc", 10: "runtime.newobject", 30: "runtime.deferreturn"}
    graph = flow.build(40, transfers, callees, lambda _: False)
    assert flow.paths(graph).of_block[graph.block_at(10)] is ALWAYS


def test_jumps_out_of_the_function_are_exits_and_calls() -> None:
    transfers = [Transfer(0, 2, Kind.BRANCH, 10), Transfer(2, 7, Kind.JUMP, 4000), Transfer(10, 11, Kind.RETURN, -1)]
    graph = flow.build(12, transfers, {2: "main.other"}, lambda _: False)
    assert [one.at for one in graph.tail_calls] == [2]
    assert len(graph.exits) == 2


def test_an_unreadable_jump_table_leads_to_what_nothing_else_leads_to() -> None:
    transfers = [Transfer(0, 3, Kind.JUMP_TABLE, -1), Transfer(4, 5, Kind.RETURN, -1), Transfer(8, 9, Kind.RETURN, -1)]
    guessed = flow.build(10, transfers, {}, lambda _: False)
    assert guessed.is_guessed
    assert flow.paths(guessed).of_block[:3] == [ALWAYS, BRANCH, BRANCH]
    read = flow.build(10, transfers, {}, lambda _: False, lambda _: (3,))
    assert not read.is_guessed
    assert flow.paths(read).of_block[:3] == [ALWAYS, ALWAYS, COLD]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Edges, set[int]]:
    size = draw(st.integers(1, 8))
    nodes = st.integers(0, size - 1)
    edges = [sorted(draw(st.sets(nodes, max_size=3))) for _ in range(size)]
    return edges, draw(st.sets(nodes, min_size=1, max_size=3))


@given(graphs())
def test_cuts_are_the_nodes_without_which_no_exit_is_reached(graph: tuple[Edges, set[int]]) -> None:
    edges, exits = graph
    if not reachable(edges, {0}) & exits:
        assert cut_nodes(edges, exits, 0) == []
        return
    found = set(cut_nodes(edges, exits, 0))
    for node in range(len(edges)):
        without = [[to for to in targets if to != node] if at != node else [] for at, targets in enumerate(edges)]
        cut_off = node == 0 or not reachable(without, {0}) & (exits - {node})
        assert (node in found) == cut_off


@given(graphs())
def test_every_graph_gets_an_answer_for_each_block(graph: tuple[Edges, set[int]]) -> None:
    edges, exits = graph
    made = flow.Graph(list(range(len(edges))), edges, exits)
    known = flow.paths(made)
    assert len(known.of_block) == len(edges)
    always = {node for node, path in enumerate(known.of_block) if path is ALWAYS}
    for node, ends in product(always, [known.exits]):
        assert not ends or flow.all_pass(made, known, {node})


def test_tens_of_thousands_of_loops_or_switches_are_bounded_work() -> None:
    loops = [Transfer(2 * at, 2 * at + 2, Kind.BRANCH, 0) for at in range(20_000)]
    graph = flow.build(40_001, loops, {}, lambda _: False)
    assert set(flow.paths(graph).of_block[:10]) <= {ALWAYS, LOOP, BRANCH, COLD}
    switches = [Transfer(4 * at, 4 * at + 3, Kind.JUMP_TABLE, -1) for at in range(20_000)]
    guessed = flow.build(80_000, switches, {}, lambda _: False)
    assert set(flow.paths(guessed).of_block) == {CallPath.UNKNOWN}
