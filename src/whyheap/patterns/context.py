"""What a matcher may ask besides the evidence: the Go version and the syntax of the source, parsed when asked."""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import dirname
from typing import TYPE_CHECKING

from whyheap.goruntime.allocators import AllocatorKind, kind_of
from whyheap.model.evidence import Evidence
from whyheap.model.facts import AllocatorCall, CompilerFact, FactKind, FlowStep
from whyheap.patterns.allocation import calls_of, silent_calls
from whyheap.patterns.escape import Escape, Storage
from whyheap.patterns.printed import is_typed_literal
from whyheap.patterns.syntax import GoFile

if TYPE_CHECKING:
    from ast_grep_py import SgNode

# Names of std packages that a printed call may start with when no source can tell a package from a variable.
_PACKAGES = frozenset(
    [
        "atomic",
        "base64",
        "bufio",
        "bytes",
        "context",
        "errors",
        "exec",
        "filepath",
        "fmt",
        "hex",
        "http",
        "io",
        "json",
        "log",
        "maps",
        "math",
        "os",
        "reflect",
        "regexp",
        "rpc",
        "runtime",
        "signal",
        "slices",
        "slog",
        "sort",
        "sql",
        "strconv",
        "strings",
        "sync",
        "syscall",
        "tabwriter",
        "template",
        "time",
        "tls",
        "url",
        "utf8",
        "xml",
    ]
)

_BUILTINS = frozenset({"panic", "append", "copy", "print", "println", "recover", "clear"})


class Context:
    """Go version as (1, 27) and sources by file as Site spells them. `sources` may be empty: matchers still work."""

    def __init__(self, go_version: tuple[int, int], sources: Mapping[str, str] | None = None) -> None:
        """Keep both; a source is parsed when a matcher first asks for its syntax."""
        self.go_version = go_version
        self._sources = sources or {}
        self._files: dict[str, GoFile | None] = {}
        self._packages: dict[str, list[GoFile]] = {}
        self._folders: dict[str, list[str]] = {}
        self._lines: dict[str, list[str]] = {}
        self._evidence: Evidence | None = None
        self._escapes: tuple[Escape, ...] = ()

    def file(self, evidence: Evidence) -> GoFile | None:
        """Return the syntax of the evidence's file, None without its source."""
        return self._file(evidence.site.file)

    def line_text(self, evidence: Evidence) -> str:
        """Return the evidence's line as it is written, without indentation; "" without its source."""
        file, line = evidence.site.file, evidence.site.line
        lines = self._lines.get(file)
        if lines is None:
            lines = self._lines[file] = self._sources.get(file, "").split("\n")
        return " ".join(lines[line - 1].split()) if 0 < line <= len(lines) else ""

    def _file(self, name: str) -> GoFile | None:
        if name not in self._files:
            text = self._sources.get(name)
            self._files[name] = GoFile(text) if text is not None else None
        return self._files[name]

    def package(self, evidence: Evidence) -> list[GoFile]:
        """Return the syntax of all known files in the evidence's directory, its own first."""
        own = self.file(evidence)
        if own is None:
            return []
        folder = dirname(evidence.site.file)
        if folder not in self._packages:
            if not self._folders:
                for name in self._sources:
                    self._folders.setdefault(dirname(name), []).append(name)
            files = [self._file(name) for name in self._folders.get(folder, ())]
            self._packages[folder] = [file for file in files if file is not None]
        return [own, *(file for file in self._packages[folder] if file is not own)]

    def escapes(self, evidence: Evidence) -> tuple[Escape, ...]:
        """Return the heap facts of a line, classified; repeats of one fact (generics, test variants) are all there."""
        if self._evidence is not evidence:
            self._escapes = tuple(self._classified(evidence))
            self._evidence = evidence
        return self._escapes

    def _classified(self, evidence: Evidence) -> list[Escape]:
        facts = [fact for fact in evidence.facts if fact.kind is FactKind.HEAP]
        if not facts:
            return []
        # A value that is allocated and then boxed prints twice; the first one flows into the other's storage.
        boxes = {box for fact in facts if (box := _box(fact)) is not None} if len(facts) > 1 else set()
        escapes = []
        for fact in facts:
            at = fact.printed_at
            twin = bool(boxes) and (at.line, at.column, fact.subject) in boxes and _box(fact) is None
            escape = Escape(fact, twin=twin)
            if escape.storage is Storage.CLOSURE:
                escape.never = self._captures_nothing(evidence, fact)
            elif is_typed_literal(escape.subject) and self._is_constant(evidence, fact):
                escape.never = True
            escape.calls = calls_of(escape, evidence)
            escapes.append(escape)
        return escapes

    def _captures_nothing(self, evidence: Evidence, fact: CompilerFact) -> bool:
        """Whether source proves that a func literal holds nothing: then it is static data."""
        file = self.file(evidence)
        at = fact.printed_at
        return file is not None and not fact.inlined_at and file.captures_nothing(at.line, at.column)

    def _is_constant(self, evidence: Evidence, fact: CompilerFact) -> bool:
        """Whether source shows no call where the compiler prints `T(1)`: then it is a constant it has folded."""
        file = self.file(evidence)
        return (
            file is not None
            and not fact.inlined_at
            and file.call_at(evidence.site.line, fact.printed_at.column) is None
        )

    def is_silent(self, evidence: Evidence, *kinds: AllocatorKind) -> bool:
        """Whether the line allocates and no heap fact accounts for it: measured, or by a call of one of these kinds.

        Machine code that has calls, but none of these kinds, outweighs what the source looks like.
        """
        if self.silent_calls(evidence, *kinds):
            return True
        measured = bool(evidence.direct) and all(escape.never for escape in self.escapes(evidence))
        return measured and not evidence.calls

    def silent_calls(self, evidence: Evidence, *kinds: AllocatorKind) -> tuple[AllocatorCall, ...]:
        """Return the line's allocator calls that no heap fact accounts for; of these kinds, where some are named."""
        if not evidence.calls:
            return ()
        found = silent_calls(evidence, self.escapes(evidence))
        return tuple(call for call in found if kind_of(call.callee) in kinds) if kinds else found

    def is_package_variable(self, evidence: Evidence, name: str) -> bool | None:
        """Whether a name is a package-level variable here; None when no source can tell."""
        file = self.file(evidence)
        if file is None:
            return None
        if name in file.locals(evidence.site.line):
            return False
        return any(name in one.package_variables for one in self.package(evidence))

    def is_map(self, evidence: Evidence, indexed: str) -> bool | None:
        """Whether an index expression `m[k]` is one of a map; None when neither key nor declarations tell."""
        base, _, key = indexed.partition("[")
        if key.startswith('"'):
            return True
        name = base.rsplit(".", 1)[-1]
        for file in self.package(evidence):
            if (name in file.maps) != (name in file.slices):
                return name in file.maps
        return None

    def is_static_call(self, evidence: Evidence, callee: str) -> bool | None:
        """Whether a printed callee is a known function, not a func value or an interface's method; None if unclear."""
        if not callee or callee in _BUILTINS or "dict[" in callee or callee.startswith("func literal"):
            return False
        if callee.startswith("("):
            return True
        base, _, member = callee.partition("[")[0].partition(".")
        file = self.file(evidence)
        if not member:
            return None if file is None else base not in file.locals(evidence.site.line)
        if "." in member:
            return False
        if base in _PACKAGES:
            return True
        return None if file is None else base in file.imports and base not in file.locals(evidence.site.line)

    def variadic_callee(self, evidence: Evidence, escape: Escape) -> str:
        """Return the call as written that a variadic argument goes to, else the last callee the compiler printed."""
        call = self._variadic_call(evidence, escape)
        function = call.field("function") if call is not None else None
        return function.text() if function is not None else escape.callee

    def variadic_call(self, evidence: Evidence, escape: Escape) -> str:
        """Return the call that a variadic argument goes to as written, on one line; "" without source."""
        call = self._variadic_call(evidence, escape)
        return " ".join(call.text().split()) if call is not None else ""

    def _variadic_call(self, evidence: Evidence, escape: Escape) -> SgNode | None:
        file = self.file(evidence)
        step = variadic_step(escape)
        here = file is not None and step is not None and step.line == evidence.site.line
        return file.call_at(step.line, step.column) if file is not None and step is not None and here else None


def _box(fact: CompilerFact) -> tuple[int, int, str] | None:
    """Return where the value is boxed and as what expression, if its flow goes straight into a box of its own."""
    if not fact.flow or fact.flow[0].to != f"{{storage for {fact.subject}}}":
        return None
    step = fact.flow[0].steps[-1] if fact.flow[0].steps else None
    return (step.line, step.column, fact.subject) if step and step.reason == "interface-converted" else None


def variadic_step(escape: Escape) -> FlowStep | None:
    """Return the step that stands at the variadic call."""
    steps = [step for flow in escape.fact.flow[:2] for step in flow.steps]
    return next((step for step in steps if step.expr == "... argument"), None)
