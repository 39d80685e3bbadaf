"""What a matcher may ask besides the evidence: the Go version and the syntax of the source, parsed when asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from posixpath import dirname
from typing import TYPE_CHECKING

from whyheap.goruntime.allocators import AllocatorKind, kind_of
from whyheap.model.evidence import Evidence
from whyheap.model.facts import AllocatorCall, CompilerFact, FactKind, FlowStep
from whyheap.patterns.allocation import PLAIN, calls_of, is_checked_module, silent_calls
from whyheap.patterns.bound_method import is_bound, is_made
from whyheap.patterns.declarations import Declarations
from whyheap.patterns.escape import Escape, Storage
from whyheap.patterns.literal_kind import literal_storage
from whyheap.patterns.printed import is_typed_literal
from whyheap.patterns.said import Said
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

_LITERALS = frozenset({Storage.BOX, Storage.MADE})
_TEXTS = {Storage.CONVERSION: AllocatorKind.CONVERSION, Storage.CONCATENATION: AllocatorKind.CONCATENATION}
_INDEXES = frozenset({"int", "int64", "int32", "uint", "uint64", "uint32", "uint16", "uint8", "byte"})
_KEY = re.compile(r"(?:[nN]ame|[kK]ey|[tT]ype?|[hH]ost|[pP]ath|\.k|\.String\(\))\)?$")  # what no slice is indexed by

_LAYOUT = re.compile(r"""("(?:\\.|[^"\\])*"|`[^`]*`|'(?:\\.|[^'\\])*')|\s+|//.*|/\*.*?(?:\*/|$)""")
"""A text, which is kept, or what gofmt and comments change between others."""
_PACKAGE_CLAUSE = re.compile(r"^package (\w+)", re.MULTILINE)


class Context:
    """Go version as (1, 27) and sources by file as Site spells them. `sources` may be empty: matchers still work."""

    def __init__(self, go_version: tuple[int, int], sources: Mapping[str, str] | None = None) -> None:
        """Keep both; a source is parsed when a matcher first asks for its syntax."""
        self.go_version = go_version
        self._sources = sources or {}
        self._files: dict[str, GoFile | None] = {}
        self._packages: dict[str, list[GoFile]] = {}
        self._lines: dict[str, list[str]] = {}
        self._declarations: dict[str, Declarations] = {}
        self._evidence: Evidence | None = None
        self._escapes: tuple[Escape, ...] = ()
        self._silent: tuple[AllocatorCall, ...] | None = None  # of the same evidence
        self._told_nearby: bool | None = None
        self.said = Said()
        self._evidence_by_line: dict[tuple[str, int], Evidence] = {}

    def hear(self, evidence: Iterable[Evidence]) -> None:
        """Take note of what the compiler said of all lines, before they are judged one by one."""
        told = tuple(evidence)
        self.said = Said(told)
        self._evidence_by_line = {(one.site.file, one.site.line): one for one in told if one.calls or one.facts}

    def file(self, evidence: Evidence) -> GoFile | None:
        """Return the syntax of the evidence's file, None without its source."""
        return self._file(evidence.site.file)

    def line_text(self, evidence: Evidence) -> str:
        """Return the evidence's line without blanks and comments, which are layout; "" without its source."""
        file, line = evidence.site.file, evidence.site.line
        lines = self._lines.get(file)
        if lines is None:
            lines = self._lines[file] = self._sources.get(file, "").split("\n")
        return _LAYOUT.sub(_kept_text, lines[line - 1]) if 0 < line <= len(lines) else ""

    def _file(self, name: str) -> GoFile | None:
        if name not in self._files:
            text = self._sources.get(name)
            self._files[name] = GoFile(text) if text is not None else None
        return self._files[name]

    def file_at(self, name: str) -> GoFile | None:
        """Return the syntax of a file by its name in a Site, None without its source."""
        return self._file(name)

    def declarations(self, name: str) -> Declarations | None:
        """Return what the package of a file declares, None without the file's source."""
        if self._file(name) is None:
            return None
        folder = dirname(name)
        if folder not in self._declarations:
            self._declarations[folder] = Declarations(self._package(name))
        return self._declarations[folder]

    @staticmethod
    def is_usual_package(name: str) -> bool:
        """Whether a name is one of std's well-known packages, for want of a source that tells."""
        return name in _PACKAGES

    def package(self, evidence: Evidence) -> list[GoFile]:
        """Return the syntax of all known files in the evidence's directory, its own first."""
        return self._package(evidence.site.file)

    def _package(self, name: str) -> list[GoFile]:
        own = self._file(name)
        if own is None:
            return []
        folder = dirname(name)
        return [own, *(file for file in self._in_folder(folder) if file is not own)]

    def _in_folder(self, folder: str) -> list[GoFile]:
        if folder not in self._packages:
            files = [self._file(one) for one in self._files_by_folder.get(folder, ())]
            self._packages[folder] = [file for file in files if file is not None]
        return self._packages[folder]

    @cached_property
    def _files_by_folder(self) -> dict[str, list[str]]:
        folders: dict[str, list[str]] = {}
        for source in self._sources:
            folders.setdefault(dirname(source), []).append(source)
        return folders

    @cached_property
    def _folders_by_package(self) -> dict[str, list[str]]:
        named: dict[str, list[str]] = {}
        for folder, files in self._files_by_folder.items():
            clause = _PACKAGE_CLAUSE.search(self._sources.get(files[0], ""))
            if clause is not None:
                named.setdefault(clause[1], []).append(folder)
        return named

    def _kind_of_type(self, file: str, name: str) -> str:
        """Return what `T` or `pkg.T` is in a file, as a kind of node ("map_type"), "" where no known source tells."""
        qualifier, dot, bare = name.rpartition(".")
        folders = self._folders_by_package.get(qualifier, []) if dot else []
        files = [one for folder in folders for one in self._in_folder(folder)] if dot else self._package(file)
        return next((kind for one in files if (kind := one.types.get(bare))), "")

    def escapes(self, evidence: Evidence) -> tuple[Escape, ...]:
        """Return the heap facts of a line, classified; repeats of one fact (generics, test variants) are all there."""
        if self._evidence is not evidence:
            self._escapes = tuple(self._classified(evidence))
            self._evidence = evidence
            self._silent = self._told_nearby = None
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
            if escape.storage is Storage.BOX and (
                is_made(escape.subject, evidence.calls) or is_bound(escape, self._file(fact.site.file), self._package)
            ):
                escape.storage = Storage.METHOD
            elif escape.storage in _LITERALS and not twin:
                escape.storage = literal_storage(evidence, escape, self._file(fact.site.file), self._kind_of_type)
            elif escape.storage in _TEXTS and _only_boxes(evidence, _TEXTS[escape.storage]):
                escape.storage = Storage.BOX  # string(s) of a named string type, or a sum of numbers
            if escape.storage is Storage.CLOSURE:
                escape.never = self._captures_nothing(evidence, fact)
            elif escape.storage is Storage.BOX and is_typed_literal(escape.subject):
                escape.never = escape.never or self._is_constant(evidence, fact)
            if escape.storage is Storage.BOX and evidence.calls and is_checked_module(fact.package):
                escape.never = False
            if evidence.calls is not None:
                escape.calls = calls_of(escape, evidence.calls)
                if not escape.calls and not escape.never:
                    escape.calls = calls_of(escape, self._calls_nearby(evidence))
            escapes.append(escape)
        return escapes

    def _calls_nearby(self, evidence: Evidence) -> Iterator[AllocatorCall]:
        """Yield the calls on other lines of the statement: a literal's parts may be made where it begins or ends."""
        for other in self._lines_of_statement(evidence):
            yield from other.calls or ()

    def _lines_of_statement(self, evidence: Evidence) -> Iterator[Evidence]:
        """Yield what is known of the other lines of the statement that a line is part of."""
        file = self.file(evidence)
        site = evidence.site
        for line in file.statement(site.line) if file is not None else ():
            other = self._evidence_by_line.get((site.file, line))
            if line != site.line and other is not None:
                yield other

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

    def innermost(self, escape: Escape) -> GoFile | None:
        """Return the syntax of the file where an escape's code stands: the callee's when it was inlined."""
        return self._file(escape.fact.site.file)

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
        escapes = self.escapes(evidence)
        if self._silent is None:
            self._silent = silent_calls(evidence, escapes)
        found = self._silent
        if kinds and found:
            found = tuple(call for call in found if kind_of(call.callee) in kinds)
        if any(kind_of(call.callee) in PLAIN for call in found) and self._is_told_nearby(evidence):
            return tuple(call for call in found if kind_of(call.callee) not in PLAIN)
        return found

    def _is_told_nearby(self, evidence: Evidence) -> bool:
        """Whether a heap fact stands on another line of the statement: what is made here may be its."""
        self.escapes(evidence)
        if self._told_nearby is None:
            others = self._lines_of_statement(evidence)
            self._told_nearby = any(fact.kind is FactKind.HEAP for other in others for fact in other.facts)
        return self._told_nearby

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
        file, declared = self.file(evidence), self.declarations(evidence.site.file)
        if file is not None and declared is not None:
            written = declared.written_type(base, file, evidence.site.line)
            kind = declared.kind(written)
            if written.startswith(("map[", "[")) or kind in {"map_type", "slice_type", "array_type"}:
                return written.startswith("map[") or kind == "map_type"
            if (typed := declared.written_type(key[:-1], file, evidence.site.line)) in _INDEXES or typed == "string":
                return typed == "string"
        name = base.rsplit(".", 1)[-1]
        for file in self.package(evidence):
            if (name in file.maps) != (name in file.slices):
                return name in file.maps
        return True if _KEY.search(key[:-1]) else None

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


def _kept_text(found: re.Match[str]) -> str:
    return found[1] or ""


def _only_boxes(evidence: Evidence, unless: AllocatorKind) -> bool:
    """Whether machine code boxes something on the line and does not do the other thing."""
    kinds = {kind_of(call.callee) for call in evidence.calls or ()}
    return AllocatorKind.BOXING in kinds and unless not in kinds


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
