"""The functions of an example.go that can be run: Bad*, Good* and Near*, with the arguments to call them with.

Arguments are ordinary values made from the parameters' types. A comment above the function gives others:

    // run []string{"a", "b"}, 7
    // run make(chan bool, 1); <-a1
    // run-once kept = make([]int, 8)

Expressions are evaluated once, before anything is measured; what stands after the semicolon is run after each call,
where a1, a2, ... are the arguments; run-once gives a statement to run before the first call. `// run never REASON`
leaves a function out of measuring.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from whyheap.lab.arguments import argument, used_packages

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_NAME = re.compile(r"^(Bad|Good|Near)[A-Z]\w*$")
_RUN = re.compile(r"^// run (.+)$")
_ONCE = re.compile(r"^// run-once (.+)$")
_FITS_INT = re.compile(r"^(any|comparable|cmp\.Ordered)$|\bint\b")
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Function:
    """One function of an example.

    `after` is a statement to run after each call, `once` one before the first; `unmeasured` is why it is not run.
    """

    name: str
    line: int
    arguments: tuple[str, ...] = ()
    variadic: bool = False
    after: str = ""
    once: str = ""
    unmeasured: str = ""

    @property
    def kind(self) -> str:
        """Bad, Good or Near."""
        found = _NAME.match(self.name)
        return found[1] if found else ""


def functions(text: str) -> list[Function]:
    """Return the functions of an example that the lab runs, in source order."""
    from ast_grep_py import SgRoot  # noqa: PLC0415 - loads a native parser: only when a lab runs

    root = SgRoot(text, "go").root()
    local = {name.text(): spec for spec in root.find_all(kind="type_spec") for name in spec.field_children("name")}
    return [_function(node, text, local) for node in root.find_all(kind="function_declaration") if _is_example(node)]


def harness_file(text: str, found: list[Function]) -> str:
    """Return the Go file that goes beside an example: a table of its functions, ready to be called."""
    measured = [one for one in found if not one.unmeasured]
    expressions = [part for one in measured for part in (*one.arguments, one.after, one.once)]
    imports = sorted({'"example.test/harness"', *used_packages(expressions, text)})
    lines = ["package example", "", "import (", *(f"\t{one}" for one in imports), ")", ""]
    lines += ["// LabFunctions are the functions of this example.", "var LabFunctions = []harness.Function{"]
    for one in measured:
        lines += [f'\t{{Name: "{one.name}", Setup: func() func() {{']
        lines += [f"\t\t{one.once}"] * bool(one.once)
        lines += [f"\t\ta{number} := {value}" for number, value in enumerate(one.arguments, 1)]
        names = ", ".join(f"a{number}" for number in range(1, len(one.arguments) + 1)) + "..." * one.variadic
        after = f"; {one.after}" if one.after else ""
        lines += [f"\t\treturn func() {{ {one.name}({names}){after} }}", "\t}},"]
    return "\n".join([*lines, "}", ""])


def _is_example(node: SgNode) -> bool:
    name = node.field("name")
    return name is not None and _NAME.match(name.text()) is not None


def _function(node: SgNode, text: str, local: dict[str, SgNode]) -> Function:
    named = node.field("name")
    name, line = named.text() if named else "", node.range().start.line + 1
    given, once = (_given(text.splitlines(), line, kind) for kind in (_RUN, _ONCE))
    if given.startswith("never"):
        return Function(name, line, unmeasured=given.removeprefix("never").strip() or "it is not meant to be run")
    if given:
        values, _, after = _cut(given, ";")
        parts = tuple(part.strip() for part in _split(values))
        return Function(name, line, parts, after=after.strip(), once=once)
    generic = _type_parameters(node)
    if generic is None:
        return Function(name, line, unmeasured="no ordinary type for its type parameter: write a // run comment")
    made: list[str] = []
    variadic = False
    for kind, is_variadic in _parameters(node):
        spelled = generic.get(kind) or re.sub(r"\b\w+\b", lambda word: generic.get(word[0], word[0]), kind)
        value = argument(f"[]{spelled}" if is_variadic else spelled, local)
        if value is None:
            return Function(name, line, unmeasured=f"no ordinary argument for {kind}: write one in a // run comment")
        variadic = variadic or is_variadic
        made.append(value)
    return Function(name, line, tuple(made), variadic, once=once)


def _parameters(node: SgNode) -> Iterator[tuple[str, bool]]:
    """Yield the type of each parameter, and whether it is variadic."""
    parameters = node.field("parameters")
    for child in parameters.children() if parameters else ():
        declared = child.field("type")
        if declared is None:
            continue
        for _ in range(max(len(child.field_children("name")), 1)):
            yield declared.text(), child.kind() == "variadic_parameter_declaration"


def _type_parameters(node: SgNode) -> dict[str, str] | None:
    """Return a type argument for each type parameter; None where a constraint may not be met by an int."""
    found = {}
    declared = node.field("type_parameters")
    for child in declared.children() if declared else ():
        constraint = child.field("type")
        if constraint is None:
            continue
        if not _FITS_INT.search(constraint.text()):
            return None
        found.update({name.text(): "int" for name in child.field_children("name")})
    return found


def _given(lines: list[str], line: int, kind: re.Pattern[str]) -> str:
    """Return the text of the run comment above a function."""
    for above in reversed(lines[: line - 1]):
        if not above.startswith("//"):
            break
        found = kind.match(above)
        if found:
            return found[1].strip()
    return ""


def _split(text: str) -> Iterator[str]:
    """Cut at commas outside of brackets and quotes."""
    rest = text
    while rest.strip():
        part, _, rest = _cut(rest, ",")
        yield part


def _cut(text: str, mark: str) -> tuple[str, str, str]:
    """Partition at the first `mark` outside of brackets and quotes."""
    depth, quote = 0, ""
    for index, char in enumerate(text):
        if quote:
            if char == quote and text[index - 1] != "\\":
                quote = ""
        elif char in "\"'`":
            quote = char
        elif char in _OPENING:
            depth += 1
        elif char in _CLOSING:
            depth -= 1
        elif char == mark and depth == 0:
            return text[:index], mark, text[index + 1 :]
    return text, "", ""
