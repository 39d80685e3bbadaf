"""Judges directives in source: what the compiler and the machine code say where a directive stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from whyheap.app.directives import Directive, Word, find_directives, has_directive
from whyheap.app.gate_index import KEPT_CHECKS, GateIndex, without_instance
from whyheap.app.gate_scan import GateScan, stable_ids
from whyheap.collect.matched_folders import matched_folders
from whyheap.goruntime.allocators import kind_of
from whyheap.join.callees import Callees
from whyheap.model.evidence import Agreement
from whyheap.model.facts import CallPath
from whyheap.model.finding import Finding
from whyheap.model.machine_code import Allocates
from whyheap.model.site import Position, Site
from whyheap.model.violation import Violation
from whyheap.report.plain_words import headline

_BUILTIN = re.compile(
    r"\b(?:append|cap|clear|close|complex|copy|delete|imag|len|make|max|min|new|panic|print|println|real|recover)\("
)
_LOOP_BODY = re.compile(r"-range\d+$")
"""What the compiler names the body of a range-over-func loop: it is called on the loop's first line."""
_NOT_FOLLOWED = "{}:{}: noalloc: calls through an interface or func value are not followed"
_NO_CODE = "no machine code of {} was read, so {} cannot be judged"


@dataclass(slots=True)
class Judged:
    """What became of the directives: violations, sentences about what could not be judged, and how many there are.

    `unknown` are sentences that a gate must not pass over.
    """

    violations: list[Violation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    directives: int = 0


@dataclass(frozen=True, slots=True)
class _Broken:
    """A violation before it has its id; `about` tells it from others of its rule in its function."""

    rule: str
    site: Site
    message: str
    about: tuple[str, ...]
    finding: Finding | None = None
    directive: str = ""


def judge_directives(scanned: GateScan) -> Judged:
    """Find and judge the directives of all scanned files."""
    found = [
        directive
        for file in sorted(scanned.owners)
        if has_directive(text := scanned.sources.get(file) or "")
        for directive in find_directives(file, text)
    ]
    judged = Judged(directives=len(found), notes=list(_elsewhere(scanned)))
    if found:
        judge = _Judge(scanned, found, judged)
        broken = sorted(judge.all(), key=lambda one: (one.site.package, one.site, one.rule, one.about))
        keys = [(one.rule, one.site.package, one.site.function, *one.about) for one in broken]
        for one, id_ in zip(broken, stable_ids(keys), strict=True):
            labels = {"directive": one.directive} if one.directive else {}
            judged.violations.append(Violation(id_, one.rule, one.site, one.message, one.finding, labels))
    return judged


def _elsewhere(scanned: GateScan) -> Iterator[str]:
    """Say how many directives stand in files beside the scanned ones: tests, and what build tags leave out."""
    read = {Path(one.folder, file.rsplit("/", 1)[-1]) for one in scanned.scan.packages for file in one.files}
    folders = {Path(package.folder) for package in scanned.scan.packages if package.folder}
    tests = others = 0
    for folder in sorted(folders | set(matched_folders(scanned.options))):
        for file in sorted(folder.glob("*.go")):
            if file in read or not file.is_file():
                continue
            with suppress(OSError):
                text = file.read_text(encoding="utf-8", errors="replace")
                count = len(find_directives(file.name, text))
                tests += count if file.name.endswith("_test.go") else 0
                others += count if not file.name.endswith("_test.go") else 0
    if tests:
        yield f"{_many(tests, 'directive')} in test files not judged: --tests scans them"
    if others:
        yield f"{_many(others, 'directive')} not judged: this build leaves their files out (--tags, --goos, --goarch)"


class _Judge:
    """Judges the directives of one scan."""

    def __init__(self, scanned: GateScan, directives: Sequence[Directive], judged: Judged) -> None:
        self._scanned = scanned
        self._directives = directives
        self._judged = judged
        self._index = GateIndex(scanned)
        self._callees = Callees(scanned.compiled.library.function)

    def all(self) -> Iterator[_Broken]:
        """Yield what is broken, directive by directive."""
        judge = {Word.NOESCAPE: self._noescape, Word.NOALLOC: self._noalloc, Word.BCE: self._bce}
        unseen = 0
        for one in self._directives:
            if one.is_unread:
                self._judged.unknown.append(f"{one.file}:{one.line}: the Go syntax around {one.text}")
            elif one.problem or one.word is None:
                yield _Broken("directive", self._index.site(one.file, one.line, one.column), one.problem, (one.text,))
            elif self._is_unseen(one):
                unseen += 1
            elif one.word is Word.INLINE:
                yield from self._inline_function(one) if one.function is not None else self._inline(one)
            else:
                yield from judge[one.word](one)
        if unseen:
            self._judged.notes.append(
                f"{_many(unseen, 'directive')} in generic functions not judged: no scanned package instantiates them"
            )

    def _is_unseen(self, one: Directive) -> bool:
        """Whether the compiler had no reason to compile the code: a generic function that nobody here uses."""
        inside = one.inside
        if inside is None or not inside.is_generic:
            return False
        place = (one.file, inside.first_line)
        return place not in self._index.codes_at and not any(
            (one.file, line) in self._index.heap for line in range(inside.first_line, inside.last_line + 1)
        )

    def _noescape(self, one: Directive) -> Iterator[_Broken]:
        """Yield each value that escapes on the lines: its own code's, or inlined there."""
        seen: set[tuple[object, ...]] = set()
        for line in sorted(one.lines):
            for fact in self._index.heap.get((one.file, line), ()):
                own = (place for place in (fact.site, fact.printed_at) if place.file == one.file)
                at = next(place for place in own if place.line in one.lines)
                if at == fact.printed_at and _is_handed_on((fact.site, *fact.inlined_at), one):
                    continue
                key = (at, without_instance(fact.message))
                if key in seen:
                    continue
                seen.add(key)
                near = self._index.findings(one.file, at.line)
                finding = next((found for found in near if any(told is fact for told in found.facts)), None)
                finding = finding or next((found for found in near if found.subject == fact.subject), None)
                why = f": {headline(finding)}" if finding is not None else ""
                message = f"{fact.message}{why}; {self._says(one)}"
                site = self._index.site(one.file, at.line, at.column)
                yield _Broken("noescape", site, message, (fact.message,), finding, one.text)

    def _says(self, one: Directive) -> str:
        return f"{one.text} at line {one.line} allows none"

    def _bce(self, one: Directive) -> Iterator[_Broken]:
        kept = self._index.lines[1]
        for line in sorted(one.lines):
            for column, message in sorted(kept.get((one.file, line), ())):
                site = self._index.site(one.file, line, column)
                text = f"the bounds check of {KEPT_CHECKS[message]} is kept; {self._says(one)}"
                yield _Broken("bce", site, text, (message, self._index.text(site)), directive=one.text)

    def _inline(self, one: Directive) -> Iterator[_Broken]:
        if any((one.file, line) in self._index.lines[0] for line in one.lines):
            return
        site = self._index.site(one.file, min(one.lines), 0)
        message = f"no call is inlined here; {one.text} at line {one.line} demands it"
        yield _Broken("inline", site, message, (self._index.text(site),), directive=one.text)

    def _inline_function(self, one: Directive) -> Iterator[_Broken]:
        """Yield the calls of a function that are calls in the machine code of the scanned packages."""
        declared = one.function
        if declared is None or not self._is_code_read(one):
            return
        symbols = {code.symbol for _, code in self._index.codes_of(one.file, declared, with_closures=False)}
        if not symbols:
            return
        seen = set()
        callers = {
            (near, code.symbol): code for symbol in symbols for near, code in self._index.callers.get(symbol, ())
        }
        for (near, _), code in callers.items():
            for call, frames in self._index.raw_calls(near, code):
                if call.callee not in symbols:
                    continue
                at = next((frame for frame in frames if frame.file in self._scanned.owners), None)
                if at is None or (at.file, at.line) == (one.file, declared.first_line) or at.position in seen:
                    continue  # an instance's wrapper stands at the function itself
                seen.add(at.position)
                site = self._index.site(at.file, at.line, at.column)
                message = f"the call of {declared.name} is not inlined; {one.text} at {one.file}:{one.line} demands it"
                yield _Broken("inline", site, message, (declared.name, self._index.text(site)), directive=one.text)

    def _noalloc(self, one: Directive) -> Iterator[_Broken]:
        """Yield each allocation on the lines: of findings, of allocator calls inlined there, and of what they call."""
        if not self._is_code_read(one):
            return
        told = set()
        for line in sorted(one.lines):
            for finding in self._index.findings(one.file, line):
                is_cold = bool(finding.calls) and all(call.path is CallPath.COLD for call in finding.calls or ())
                if finding.agreement is not Agreement.NEVER_ALLOCATES and not is_cold and self._is_own(finding, one):
                    told.add((one.file, line))
                    words = "may allocate" if finding.agreement is Agreement.MAY_ALLOCATE else "allocates"
                    message = f"{words}: {headline(finding)}; {self._says(one)}"
                    yield _Broken("noalloc", finding.site, message, (finding.id,), finding, one.text)
        yield from self._inlined_allocations(one, told)
        yield from self._called_allocations(one)

    def _is_own(self, finding: Finding, one: Directive) -> bool:
        """Whether the function of a directive allocates itself, and not a copy that is inlined into a caller alone."""
        if one.inside is None or not finding.calls:
            return True
        at = (finding.site.file, finding.site.line)
        if any(_is_inside(code.site, one) for code, _ in self._index.calls_at.get(at, ())):
            return True
        own = {code.symbol for _, code in self._index.codes_of(one.file, one.inside, with_closures=True)}
        return not own or any(call.symbol in own and call.path is not CallPath.COLD for call in finding.calls)

    def _inlined_allocations(self, one: Directive, told: set[tuple[str, int]]) -> Iterator[_Broken]:
        """Yield allocator calls of code that is inlined on the lines, for which there is no finding on them."""
        seen = set()
        has_own = one.inside is not None and (one.file, one.inside.first_line) in self._index.codes_at
        for line in sorted(one.lines):
            for code, call in self._index.calls_at.get((one.file, line), ()):
                if has_own and not _is_inside(code.site, one):  # a copy in a caller, with what the caller hands it
                    continue
                frames = (call.site, *call.inlined_at)
                at = _on_lines(frames, one)
                if at is None or (one.file, at.line) in told:
                    continue
                if _is_handed_on(frames, one):
                    self._judged.notes.append(_NOT_FOLLOWED.format(one.file, one.line))
                    continue
                about = (at.line, call.callee, call.site.file, call.site.line)
                if about in seen:
                    continue
                seen.add(about)
                inner = f" (inlined from {call.site.file}:{call.site.line})" if at != call.site else ""
                message = f"calls {call.callee}{inner}; {self._says(one)}"
                site = self._index.site(one.file, at.line, at.column)
                kind = str(kind_of(call.callee))
                yield _Broken("noalloc", site, message, (kind, self._index.text(site)), directive=one.text)

    def _called_allocations(self, one: Directive) -> Iterator[_Broken]:
        """Yield calls on the lines of functions that allocate, or may."""
        if one.inside is None:
            codes = self._index.initialisers(one.file)
        else:
            codes = list(self._index.codes_of(one.file, one.inside, with_closures=True))
        own = {code.symbol for _, code in codes if one.function is not None or _LOOP_BODY.search(code.symbol)}
        seen = set()
        open_calls = direct = 0
        for near, code in codes:
            paths = {call.callee: call.path for call in code.callees}
            open_calls += paths.get("", CallPath.COLD) is not CallPath.COLD
            for call, frames in self._index.raw_calls(near, code):
                at = _on_lines(frames, one)
                if at is None or _is_handed_on(frames, one):
                    continue
                direct += 1
                if paths.get(call.callee, CallPath.COLD) is CallPath.COLD or call.callee in own:
                    continue
                verdict = self._callees.allocates(call.callee, near)
                about = (at.line, call.callee)
                if about in seen or verdict.allocates is Allocates.NEVER:
                    continue
                seen.add(about)
                way = " > ".join((call.callee, *verdict.via))
                if verdict.allocates is Allocates.UNKNOWN:
                    self._judged.notes.append(f"{one.file}:{at.line}: noalloc: not known whether it allocates: {way}")
                    continue
                word = "allocates" if verdict.allocates is Allocates.ALWAYS else "may allocate"
                site = self._index.site(one.file, at.line, at.column)
                message = f"calls what {word}: {way}; {self._says(one)}"
                yield _Broken("noalloc", site, message, (call.callee, self._index.text(site)), directive=one.text)
        if open_calls and (one.function is not None or self._has_open_call(one, direct)):
            self._judged.notes.append(_NOT_FOLLOWED.format(one.file, one.line))

    def _has_open_call(self, one: Directive, direct: int) -> bool:
        """Whether a line has more calls than those that are known: inlined, direct, or of a builtin function."""
        lines = (self._scanned.sources.get(one.file) or "").split("\n")
        builtin = sum(len(_BUILTIN.findall(lines[line - 1])) for line in one.lines if line <= len(lines))
        inlined = sum((one.file, line) in self._index.lines[0] for line in one.lines)
        return one.calls > direct + builtin + inlined

    def _is_code_read(self, one: Directive) -> bool:
        if self._scanned.is_code_read:
            return True
        self._judged.unknown.append(f"{one.file}:{one.line}: {_NO_CODE.format(self._scanned.scan.goarch, one.text)}")
        return False


def _on_lines(frames: Iterable[Site], one: Directive) -> Site | None:
    """Return the innermost frame that stands on a directive's lines."""
    return next((frame for frame in frames if frame.file == one.file and frame.line in one.lines), None)


def _is_inside(place: Site | Position, one: Directive) -> bool:
    """Whether a place stands in the function that a directive stands in."""
    return (
        one.inside is not None
        and place.file == one.file
        and one.inside.first_line <= place.line <= one.inside.last_line
    )


def _is_handed_on(frames: Sequence[Site | Position], one: Directive) -> bool:
    """Whether code, with the calls it is inlined through, is the body of a func literal that another function calls.

    It is written elsewhere in the function that the directive stands in, and handed over on the directive's lines.
    """
    at = next((at for at, frame in enumerate(frames) if frame.file == one.file and frame.line in one.lines), 0)
    return any(_is_inside(frame, one) for frame in frames[: max(at - 1, 0)])


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'s' if count != 1 else ''}"
