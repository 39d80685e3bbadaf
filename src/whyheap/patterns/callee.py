"""What is called: a function that is known when the program is built, or one that only the running program knows.

The compiler prints a static method call with its receiver among the arguments, `(*T).M(x, a)` or `T.M(x, a)`, and a
call through an interface or a func value as it stands in the source, `x.m(a)`. Which of these two the latter is, and
whether `x` is a package, the declarations tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from whyheap.model.evidence import Evidence
from whyheap.model.facts import FlowStep
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Escape
from whyheap.patterns.printed import arguments_of, callee_of, targets_of, without_types
from whyheap.patterns.syntax import package_names

if TYPE_CHECKING:
    from whyheap.patterns.syntax import GoFile

_STATIC_METHOD: Final = re.compile(r"\(\*[\w.]+\)\.\w+$")
_KEEPS: Final = frozenset({"panic"})  # escape/call.go, OPANIC: its argument flows to the heap
_BUILTINS: Final = frozenset({"append", "copy", "print", "println", "recover", "clear"})
_DICTIONARY: Final = "&.dict["


class Called(Enum):
    """What a call may reach."""

    FUNCTION = auto()
    INTERFACE_METHOD = auto()
    FUNC_VALUE = auto()
    TYPE_PARAMETER = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Callee:
    """The function that a value is passed to. `name` is for people; `certain`: printed or declared, not concluded."""

    called: Called
    name: str
    certain: bool = True
    step: FlowStep | None = None


def callee(evidence: Evidence, context: Context, escape: Escape) -> Callee:
    """Tell what kind of function the last call of an escape's flow calls."""
    step = _call(escape)
    printed = without_types(callee_of(step.expr)) if step is not None else ""
    if step is None or not printed or printed in _BUILTINS:
        return Callee(Called.UNKNOWN, printed, certain=False)
    source = _Source(evidence, context, escape, step)
    if _DICTIONARY in printed:
        return Callee(Called.TYPE_PARAMETER, source.written() or "a method of a type parameter", step=step)
    if printed in _KEEPS:
        return Callee(Called.FUNCTION, printed, step=step)
    if _STATIC_METHOD.match(printed) or context.said.leaks(printed, evidence.site.package):
        return Callee(Called.FUNCTION, printed, step=step)
    called, certain = source.called(printed)
    return Callee(called, printed, certain, step)


def _call(escape: Escape) -> FlowStep | None:
    """Return the last step at which the value is passed to a call."""
    steps = (step for flow in reversed(escape.fact.flow) for step in reversed(flow.steps))
    return next((step for step in steps if step.reason == "call parameter"), None)


class _Source:
    """The source at a call, as far as it is known."""

    def __init__(self, evidence: Evidence, context: Context, escape: Escape, step: FlowStep) -> None:
        self._line = step.line
        self._file: GoFile | None = context.file_at(step.file)
        self._declared = context.declarations(step.file)
        self._is_seen = self._file is not None or context.file(evidence) is not None
        self._package = evidence.site.package
        self._step = step
        self._escape = escape

    def written(self) -> str:
        """Return the called function as it stands in the source, on one line; "" if that is not known."""
        call = self._file.call_at(self._line, self._step.column) if self._file is not None else None
        function = call.field("function") if call is not None else None
        return " ".join(function.text().split()) if function is not None else ""

    def is_local(self, name: str) -> bool:
        return self._file is not None and name in self._file.locals(self._line)

    def called(self, printed: str) -> tuple[Called, bool]:  # noqa: PLR0911 - one return per form of a printed callee
        """Classify a callee that is printed as a name, or as names with dots between."""
        if printed.startswith("func literal"):
            return Called.FUNC_VALUE, True
        base, *members = printed.split(".")
        if not base:  # .autotmp_3, .autotmp_3.Read: the result of another call
            return self._member("", members[-1]) if len(members) > 1 else (Called.FUNC_VALUE, True)
        if base == "C":
            return Called.FUNCTION, True
        if self._file is None or self._declared is None:
            return self._without_source(base, members)
        if not members:
            return self._bare(base)
        holder, name = printed.rpartition(".")[0], members[-1]
        if self._is_renamed(base, name):
            return Called.FUNCTION, True
        if "(" in printed or self.is_local(base) or self._declared.is_variable(base):
            return self._member(holder, name)
        if self._declared.function(printed) is not None:
            return Called.FUNCTION, True  # T.M(x): a method on a value
        if base in self._file.imports:
            return self._of_package(base, members, printed)
        return self._inlined(base, members) if self._is_qualified(base) else self._member(holder, name)

    def _is_renamed(self, base: str, name: str) -> bool:
        """Whether `pkg.F` is a function whose package goes by another name here: an import's, or it is the own one."""
        written, dot, last = self.written().rpartition(".")
        file, declared = self._file, self._declared
        if file is None or declared is None:
            return False
        if dot and last == name and written != base:
            return written in file.imports and not self.is_local(written)
        if last != name and Context.is_usual_package(base) and name[:1].isupper():
            return True  # the call stands in code that was inlined here
        return written != base and base in package_names(self._package) and declared.function(name) is not None

    def _without_source(self, base: str, members: list[str]) -> tuple[Called, bool]:
        if len(members) == 1 and Context.is_usual_package(base):
            return Called.FUNCTION, True
        if members and self._is_seen:
            return self._inlined(base, members)
        return Called.UNKNOWN, False

    def _is_qualified(self, base: str) -> bool:
        """Whether other names of the flow stand in the same package: then their code was inlined from there."""
        prefix = f"{base}."
        names = (name for flow in self._escape.fact.flow for name in (flow.to, flow.from_.lstrip("&*")))
        return base[:1].islower() and any(name.startswith(prefix) for name in names)

    def _bare(self, name: str) -> tuple[Called, bool]:
        """Tell a function of this package from a variable that holds one."""
        if self.is_local(name):
            # The compiler sees through a variable that holds one func literal and is never assigned again.
            is_known = self._file is not None and self._file.holds_one_literal(name, self._line)
            return (Called.FUNCTION if is_known else Called.FUNC_VALUE), True
        if self._declared is not None and self._declared.function(name) is not None:
            return Called.FUNCTION, True
        # A variable of the package, or a parameter of a function that was inlined here; functions of C have no source.
        return (
            (Called.FUNCTION, True)
            if name.startswith("_C")
            else (Called.FUNC_VALUE, self._declared is not None and self._declared.is_variable(name))
        )

    def _of_package(self, base: str, members: list[str], printed: str) -> tuple[Called, bool]:
        """Tell `pkg.F`, `pkg.T.M(x)` and `pkg.Variable.M` apart: a static method is not printed as it is written."""
        written = self.written()
        if len(members) == 1 and (members[0][:1].isupper() or written == printed):
            return Called.FUNCTION, True
        if written == printed:
            return Called.INTERFACE_METHOD, False
        if len(members) > 1 and members[0][:1].isupper():
            return Called.FUNCTION, bool(written)
        return self._inlined(base, members)

    def _inlined(self, base: str, members: list[str]) -> tuple[Called, bool]:
        """Classify by names what was inlined from elsewhere: its package stands before each name, variables too."""
        if len(members) > 1:
            # The receiver of a static method is the first argument: pkg.t.M(pkg.Value, ...).
            receiver = next(iter(arguments_of(self._step.expr)), "").removeprefix(f"{base}.")
            is_static = members[0][:1].isupper() or (receiver.isidentifier() and receiver[:1].isupper())
            return (Called.FUNCTION if is_static else Called.INTERFACE_METHOD), False
        name = f"{base}.{members[0]}"
        steps = (step for flow in self._escape.fact.flow for step in flow.steps if step.reason.startswith("assign"))
        is_parameter = any(name in targets_of(step.expr) for step in steps)
        return (Called.FUNC_VALUE if is_parameter else Called.FUNCTION), False

    def _member(self, holder: str, name: str) -> tuple[Called, bool]:
        """Tell an interface's method from a func field: by the holder's type, else by what the package declares."""
        file, declared = self._file, self._declared
        if file is None or declared is None:
            return Called.UNKNOWN, False
        written = declared.written_type(holder, file, self._line) if holder else ""
        if written.startswith("*"):
            return Called.FUNC_VALUE, True  # a method behind a pointer would be printed as (*T).M
        kind = declared.kind(written)
        if kind in {"struct_type", "interface_type"} or written == "error":
            return (Called.FUNC_VALUE if kind == "struct_type" else Called.INTERFACE_METHOD), True
        is_method, is_field = declared.is_method_of_interface(name), declared.is_function_field(name)
        if is_field and not is_method:
            return Called.FUNC_VALUE, True
        return Called.INTERFACE_METHOD, is_method and not is_field
