"""A test that calls edited functions with made-up arguments and counts what they allocate, for want of tests that do.

Only functions are called that can do no harm: their bodies call nothing but builtins and packages of std that compute.
The test stands in the overlay; nothing is written into the user's tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from whyheap.errors import ToolError
from whyheap.host.go import GoTool
from whyheap.host.program import run_program
from whyheap.model.edit import Edit
from whyheap.model.go_types import GoType
from whyheap.patterns.edit_source import EditSource, named
from whyheap.proof.test_run import Objects

if TYPE_CHECKING:
    from ast_grep_py import SgNode

FILE = "zz_whyheap_test.go"
TEST = "TestZZWhyheap"
TEMPLATE = Path(__file__).with_name("generated_test.go.txt")
_HARMLESS = frozenset(
    {
        "bytes", "cmp", "encoding/hex", "errors", "fmt", "maps", "math", "math/bits", "path", "reflect", "regexp",
        "slices", "sort", "strconv", "strings", "unicode", "unicode/utf8",
    }
)  # fmt: skip
_PRINTS = re.compile(r"fmt\.(?!Sprint|Errorf|Append)")
_NOT_CALLED = ("go_statement", "defer_statement", "send_statement", "receive_statement", "select_statement")
_TOLD = re.compile(r"^whyheap: (\d+) ([\d.]+) ([\d.]+)$", re.MULTILINE)
_NUMBERS = frozenset(
    {
        "int",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "byte",
        "rune",
        "float32",
        "float64",
    }
)
_DEEPEST = 3


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
    if (
        function is None
        or name is None
        or function.kind() != "function_declaration"
        or name.text() in {"main", "init", "_"}
    ):
        return None
    if function.field("type_parameters") is not None or not _is_harmless(source, function):
        return None
    parameters = function.field("parameters")
    values = []
    for declared in named(parameters) if parameters is not None else []:
        names = declared.field_children("name")
        if declared.kind() != "parameter_declaration" or not names:
            return None
        for one in names:
            of = source.type_of(one)
            value = _value(source, of, "7", 0) if of is not None else None
            if value is None:
                return None
            values.append(value)
    arguments = ", ".join(f"a{number}" for number in range(len(values)))
    return GeneratedCall(tuple(values), f"{name.text()}({arguments})")


def _function(source: EditSource, index: int) -> SgNode | None:
    around = source.declaration(index)
    return around if around is not None and around.kind() == "function_declaration" else None


def _is_harmless(source: EditSource, function: SgNode) -> bool:
    if any(function.find(kind=kind) is not None for kind in _NOT_CALLED):
        return False
    for loop in function.find_all(kind="for_statement"):
        if not any(one.kind() in {"range_clause", "for_clause"} for one in loop.children()):
            return False
    return all(_is_harmless_call(source, call) for call in function.find_all(kind="call_expression"))


def _is_harmless_call(source: EditSource, call: SgNode) -> bool:
    called = call.field("function")
    if called is None:
        return False
    if called.kind() == "identifier":
        found = source.object_of(called)
        return found is not None and (found.level == "universe" or found.kind == "type") and found.name != "print"
    if called.kind() == "selector_expression":
        operand = called.field("operand")
        whole = source.called(call)
        if whole:
            return whole.rpartition(".")[0] in _HARMLESS and not _PRINTS.match(whole)
        of = source.type_of(operand) if operand is not None else None
        return of is not None and of.text.removeprefix("*").partition(".")[0] in {"strings", "bytes", "regexp"}
    return called.kind() in {"slice_type", "array_type", "map_type"}


def _value(source: EditSource, of: GoType, number: str, depth: int) -> str | None:
    """Return an expression of a type; `number` is an int expression that tells values apart."""
    if not of.nameable or depth > _DEEPEST or "." in of.text:
        return None
    element, key = source.element(of), source.checked.types[of.key] if of.key >= 0 else None
    inner = _value(source, element, "i", depth + 1) if element is not None and of.kind in {"slice", "map"} else None
    first = _value(source, key, "i", depth + 1) if key is not None else None
    if of.kind == "basic":
        return _basic(of, number)
    if of.kind == "struct":
        return f"{of.text}{{}}"
    if of.kind == "pointer" and element is not None and element.kind == "struct" and element.nameable:
        return f"new({element.text})"
    if of.kind == "slice":
        loop = f"for i := range s {{ s[i] = {inner} }}"
        return inner and f"func() {of.text} {{ s := make({of.text}, 100); {loop}; return s }}()"
    loop = f"for i := 0; i < 100; i++ {{ m[{first}] = {inner} }}"
    return inner and first and f"func() {of.text} {{ m := {of.text}{{}}; {loop}; return m }}()"


def _basic(of: GoType, number: str) -> str | None:
    if of.basic in _NUMBERS:
        is_wide = of.basic in {"int", "int64", "uint", "uint64"} and number.isdecimal()
        return f"{of.text}({'1000' if is_wide else number})"
    if of.basic == "string":
        return f"{of.text}(\"word\" + string(rune('a'+{number})))"
    return f"{of.text}(true)" if of.basic == "bool" else None


def test_text(package: str, calls: Mapping[int, GeneratedCall]) -> str:
    """Return the text of a test file of a package (by name) that measures each call."""
    body = []
    for number, one in calls.items():
        body.append("\tfunc() {")
        body += [f"\t\ta{index} := {value}" for index, value in enumerate(one.arguments)]
        body += [f"\t\twhyheapMeasure({number}, func() {{ {one.call} }})", "\t}()"]
    return (
        TEMPLATE.read_text(encoding="utf-8")
        .replace("package generated", f"package {package}")
        .replace("\t// calls", "\n".join(body))
    )


def run_generated(go: GoTool, folder: Path, flags: Iterable[str], seconds: float) -> dict[int, Objects]:
    """Run the generated test of the package in a folder; returns objects and bytes per call, by number."""
    command = [go.command, "test", "-count=1", "-v", f"-run=^{TEST}$", f"-timeout={seconds:g}s", *flags, "."]
    try:
        done = run_program(command, folder, env=go.env, seconds=seconds * 2)
    except ToolError:
        return {}
    return {
        int(number): Objects(round(float(count)), round(float(size)))
        for number, count, size in _TOLD.findall(done.stdout)
    }
