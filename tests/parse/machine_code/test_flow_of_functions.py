"""What recorded functions of real compilers say: paths of their calls, and what they add up to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flow_recording import BUILDS, Function, functions, read
from whyheap.errors import FormatError
from whyheap.goruntime.quiet_calls import GO_RUNTIME
from whyheap.model.machine_code import Allocates, FunctionCode
from whyheap.parse.machine_code.function_code import function_codes
from whyheap.parse.machine_code.raw import RawCall

EXPECTED = {
    "Always": (["always"], "always"),
    "Branch": (["branch"], "may"),
    "BothBranches": (["branch", "branch"], "always"),
    "Loop": (["loop"], "may"),
    "ConstantLoop": (["always"], "always"),
    "NestedLoop": (["loop"], "may"),
    "BranchInLoop": (["branch"], "may"),
    "AfterLoop": (["always"], "always"),
    "Cold": (["cold"], "never"),
    "Checked": (["always"], "always"),
    "Endless": (["always"], "always"),
    "Deferred": (["always"], "always"),
    "Recovers": ([], "never"),
    "Switch": (["branch", "branch"], "may"),
    "StringOf": (["always"], "always"),
    "StringCompared": (["always"], "may"),
    "Boxed": (["always"], "may"),
    "Indirect": ([], "never"),
    "Quiet": ([], "never"),
}


def paths(one: FunctionCode) -> list[str]:
    return [call.path.value for call in one.calls]


def callees(one: FunctionCode) -> dict[str, str]:
    return {call.callee: call.path.value for call in one.callees}


@pytest.mark.parametrize("build", BUILDS)
def test_paths_and_what_they_add_up_to(build: str) -> None:
    told = read(*functions(build))
    assert {name: (paths(told[name]), told[name].alone.value) for name in EXPECTED} == EXPECTED


@pytest.mark.parametrize("build", BUILDS)
def test_without_the_tables_switches_come_out_the_same(build: str) -> None:
    found, arch, memory = functions(build)
    assert read(found, arch) == read(found, arch, memory)


@pytest.mark.parametrize("build", BUILDS)
def test_callees_have_the_most_certain_path_and_deferred_closures_count(build: str) -> None:
    told = read(*functions(build))
    assert callees(told["Recovers"]) == {"main.Always": "always", "main.Recovers.func1": "always"}
    assert callees(told["Deferred"]) == {"main.Deferred.deferwrap1": "always"}
    assert callees(told["Indirect"]) == {"": "always"}
    assert callees(told["Switch"]) == {"main.note": "branch"}
    assert callees(told["Quiet"]) == {}
    assert set(callees(told["DeferredInLoop"])) == {"main.DeferredInLoop.deferwrap1"}
    assert callees(told["DeferredInLoop"])["main.DeferredInLoop.deferwrap1"] in {"loop", "branch"}


@pytest.mark.parametrize("build", BUILDS)
def test_a_call_knows_its_function_its_address_and_its_type(build: str) -> None:
    found, arch, _ = functions(build)
    function = next(one for one in found if one.symbol == "main.Always")
    (call,) = read(found, arch)["Always"].calls
    assert call.symbol == "main.Always"
    assert call.address == function.address + call.site.line
    assert call.type == "main.thing"
    assert not call.inlined_at


def test_an_unreadable_jump_without_any_block_to_go_to_is_not_understood() -> None:
    jump_by_table = bytes.fromhex("ff24c1")  # JMP (CX)(AX*8)
    code = bytes.fromhex("e800000000") + jump_by_table
    (one,) = function_codes([Function("main.F", code, calls("runtime.newobject"))], "amd64", GO_RUNTIME)
    assert (paths(one), one.alone) == (["unknown"], Allocates.UNKNOWN)


def calls(callee: str) -> tuple[RawCall, ...]:
    return (RawCall(0, callee),)


@pytest.mark.parametrize("build", BUILDS)
def test_cut_and_damaged_code_says_something_and_does_not_fail(build: str) -> None:
    found, arch, memory = functions(build)
    for one in found:
        for size in (0, 1, len(one.code) // 3, len(one.code) - 1):
            read([replace(one, code=one.code[:size])], arch, memory)
            read([replace(one, code=one.code[size:] + b"\xff" * 3)], arch, memory)


def test_another_architecture_is_refused() -> None:
    with pytest.raises(FormatError, match="riscv64"):
        list(function_codes([], "riscv64", GO_RUNTIME))


def amd64(code: str, offset: int) -> FunctionCode:
    """Read a function whose call at `offset` is of the allocator."""
    function = Function("main.F", bytes.fromhex(code), (RawCall(offset, "runtime.newobject"),))
    (one,) = function_codes([function], "amd64", GO_RUNTIME)
    return one


@pytest.mark.parametrize(
    ("start", "compare", "branch", "expected"),
    [
        ("31c9", "4883f904", "7d", "always"),  # XORL CX, CX; CMPQ CX, $4; JGE
        ("31c9", "4883f904", "7c", "never"),  # JLT: the loop is not entered
        ("b905000000", "4883f904", "7d", "never"),  # MOVL $5, CX
        ("31c0", "4883f904", "7d", "may"),  # another register
        ("31c9", "4839c1", "7d", "may"),  # compared with a register
    ],
)
def test_a_loops_first_test_is_known_where_it_compares_constants(
    start: str, compare: str, branch: str, expected: str
) -> None:
    head = f"{compare}{branch}0a"  # over the body: a call of 5 bytes, INCQ CX, JMP head
    size = len(bytes.fromhex(head))
    body = f"e80000000048ffc1eb{(-10 - size) % 256:02x}"
    code = f"{start}eb00{head}{body}c3"
    call = len(bytes.fromhex(start)) + 2 + size
    told = amd64(code, call)
    assert told.alone.value == expected
