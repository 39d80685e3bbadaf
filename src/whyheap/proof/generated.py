"""A test that calls edited functions with made-up arguments and counts what they allocate, for want of tests that do.

Only functions are called that can do no harm: their bodies call nothing but builtins and packages of std that compute.
The test stands in the overlay; nothing is written into the user's tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from whyheap.errors import ToolError
from whyheap.host.go import GoTool
from whyheap.host.program import run_program
from whyheap.model.edit import Edit
from whyheap.patterns.edit_source import EditSource, named
from whyheap.proof.harmless import is_harmless
from whyheap.proof.made_up import MadeUp
from whyheap.proof.test_run import Objects

if TYPE_CHECKING:
    from ast_grep_py import SgNode

FILE = "zz_whyheap_test.go"
TEST = "TestZZWhyheap"
TEMPLATE = Path(__file__).with_name("generated_test.go.txt")
_FUNCTIONS = frozenset({"function_declaration", "method_declaration"})
_TOLD = re.compile(r"^whyheap: (\d+) ([\d.]+) ([\d.]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class GeneratedCall:
    """A call of one function, with its arguments' declarations."""

    arguments: tuple[str, ...]
    call: str


def generated_call(source: EditSource, edit: Edit) -> GeneratedCall | None:
    """Return the call of the function that an edit stands in; None when it has unknown arguments or may do harm."""
    place = next((change.start for change in edit.changes if _function(source, change.start) is not None), None)
    function = _function(source, place) if place is not None else None
    name = function.field("name") if function is not None else None
    if function is None or name is None or name.text() in {"main", "init", "_"}:
        return None
    if _is_generic(function) or not is_harmless(source, function):
        return None
    made_up = MadeUp(source, function)
    declared = [
        named(of) if of is not None else [] for of in (function.field("receiver"), function.field("parameters"))
    ]
    receiver, values = (_values(source, made_up, some) for some in declared)
    if receiver is None or values is None:
        return None
    arguments = ", ".join(f"a{number}" for number in range(len(receiver), len(receiver) + len(values)))
    spread = "..." if any(one.kind() == "variadic_parameter_declaration" for one in declared[1]) else ""
    return GeneratedCall((*receiver, *values), f"{'a0.' if receiver else ''}{name.text()}({arguments}{spread})")


def _is_generic(function: SgNode) -> bool:
    receiver = function.field("receiver")
    of_generic = receiver is not None and receiver.find(kind="generic_type") is not None
    return of_generic or function.field("type_parameters") is not None


def _values(source: EditSource, made_up: MadeUp, parameters: Sequence[SgNode]) -> list[str] | None:
    """Return a value for each parameter, None where one has no name or no value is known."""
    values = []
    for declared in parameters:
        names = declared.field_children("name")
        if not names:
            return None
        for one in names:
            value = made_up.value(source.type_of(one))
            if value is None:
                return None
            values.append(value)
    return values


def _function(source: EditSource, index: int) -> SgNode | None:
    around = source.declaration(index)
    return around if around is not None and around.kind() in _FUNCTIONS else None


def test_text(package: str, calls: Mapping[int, GeneratedCall]) -> str:
    """Return the text of a test file of a package (by name) that measures each call."""
    body = []
    for number, one in calls.items():
        body += ["\tfunc() {", "\t\tdefer func() { _ = recover() }()"]
        body += [f"\t\ta{index} := {value}" for index, value in enumerate(one.arguments)]
        body += [f"\t\twhyheapMeasure({number}, func() {{ {one.call} }})", "\t}()"]
    return (
        TEMPLATE.read_text(encoding="utf-8")
        .replace("package generated", f"package {package}")
        .replace("\t// calls", "\n".join(body))
    )


def run_generated(go: GoTool, folder: Path, flags: Iterable[str], seconds: float) -> dict[int, Objects]:
    """Run the generated test of the package in a folder; returns objects and bytes per call, by number."""
    command = [
        go.command,
        "test",
        "-count=1",
        "-vet=off",
        "-v",
        f"-run=^{TEST}$",
        f"-timeout={seconds:g}s",
        *flags,
        ".",
    ]
    try:
        done = run_program(command, folder, env=go.env, seconds=seconds * 2)
    except ToolError:
        return {}
    return {
        int(number): Objects(round(float(count)), round(float(size)))
        for number, count, size in _TOLD.findall(done.stdout)
    }
