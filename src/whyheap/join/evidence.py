"""Facts and bytes -> Evidence per line of the user's code.

The join key is the innermost line. Bytes walk up the stack (inline frames included) to the first frame of the user's
code; when that is not where they are allocated, the function called there and the one that allocates are named.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from whyheap.goruntime.standard_library import is_standard
from whyheap.join.call_addresses import CallAddresses, by_call
from whyheap.join.calls import CallsByLine, calls_by_line
from whyheap.join.entry_points import entry_of
from whyheap.join.frames import ProfileFrames, Stack, own_code
from whyheap.join.misjoins import Misjoins
from whyheap.model.evidence import CalleeBytes, Evidence
from whyheap.model.facts import CompilerFact, FactKind
from whyheap.model.measure import Measure
from whyheap.model.profile import HeapProfile
from whyheap.model.report import EntryPoint
from whyheap.model.scan import Scan
from whyheap.model.site import Position, Site
from whyheap.parse.go_symbol import function_name

_QUALIFIER = re.compile(r"\b[^\W\d]\w*\.(?=[^\W\d]|~)")
_VALUES = ("inuse_space", "inuse_objects", "alloc_space", "alloc_objects")
Line = tuple[str, int]
"""A spelled file and a line in it."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What the join found. `unattributed` are bytes of stacks without a frame of the user's code, by root and leaf.

    `is_same_build` tells whether a profile is of the very binary whose machine code was read; None without either.
    """

    evidence: tuple[Evidence, ...]
    entry_points: tuple[EntryPoint, ...]
    profile: Measure | None
    attributed: Measure
    unattributed: tuple[CalleeBytes, ...]
    is_same_build: bool | None = None


@dataclass(slots=True)
class _Bytes:
    """Sums of one line while samples are walked."""

    site: Site
    direct: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    by_location: dict[int, list[int]] = field(default_factory=dict)
    callees: dict[tuple[str, str], list[int]] = field(default_factory=dict)


def join(
    scan: Scan | None,
    profile: HeapProfile | None,
    sources: Mapping[str, str] | None = None,
    focus: re.Pattern[str] | None = None,
    starters: Mapping[str, Site] | None = None,
) -> Joined:
    """Join a scan and a profile; either may be missing. `focus` keeps the stacks with a frame it finds.

    `starters` gives the user's line that stands behind a goroutine which std starts, by the goroutine's root function.
    """
    code = calls_by_line(scan)
    facts = _facts_by_line(scan, code) if scan else {}
    walked = _Walk(scan, profile, facts, sources or {}, focus, starters or {}) if profile is not None else None
    lines = dict(facts)
    evidence = []
    sums = walked.lines if walked else {}
    addresses = _addresses(scan, profile, sums)
    for line in sorted({*lines, *sums, *(code.lines if code else ())}):
        there = lines.get(line, ())
        measured = sums.get(line)
        site = _site(line, there, measured.site if measured else None)
        calls = None
        if code is not None:
            calls = code.lines.get(line)
            if calls is None and code.has_code(site.package, {site.function, *(fact.function for fact in there)}):
                calls = ()
            elif calls and not any(fact.function for fact in there if not fact.inlined_at):
                place = code.own_place(calls[0]) or site  # whose name does not depend on a profile
                site = replace(place, column=site.column)
        if measured is None:
            evidence.append(Evidence(site, tuple(there), profiled=profile is not None, calls=calls))
            continue
        callees = sorted(measured.callees.items(), key=lambda item: (-item[1][2], -item[1][0], item[0]))
        evidence.append(
            Evidence(
                site,
                tuple(there),
                _measure(measured.direct),
                tuple(CalleeBytes(callee, leaf, _measure(bytes_)) for (callee, leaf), bytes_ in callees),
                profiled=True,
                calls=calls,
                call_bytes=tuple(
                    (address, _measure(bytes_))
                    for address, bytes_ in sorted(by_call(addresses, measured.by_location).items())
                ),
            )
        )
    if walked is None:
        return Joined(tuple(evidence), (), None, Measure(), ())
    return Joined(
        tuple(evidence),
        walked.entry_points(),
        _measure(walked.total),
        _measure(walked.attributed),
        tuple(
            CalleeBytes(root, leaf, _measure(bytes_))
            for (root, leaf), bytes_ in sorted(walked.others.items(), key=lambda item: (-item[1][2], item[0]))
        ),
        addresses is not None if walked.is_linked and any(line.by_location for line in sums.values()) else None,
    )


def _addresses(scan: Scan | None, profile: HeapProfile | None, sums: Mapping[Line, _Bytes]) -> CallAddresses | None:
    """Return what tells the calls of a linked binary apart, None when the profile is not of this binary."""
    if scan is None or profile is None or not scan.binary:
        return None
    addresses = CallAddresses(scan, profile)
    is_settled = addresses.settle(location for line in sums.values() for location in line.by_location)
    return addresses if is_settled else None


def profile_frames(scan: Scan | None, profile: HeapProfile) -> ProfileFrames:
    """Return the frames of a profile as the scan spells them."""
    return ProfileFrames(profile, own_code(scan))


class _Walk:
    """Walks all samples once."""

    def __init__(
        self,
        scan: Scan | None,
        profile: HeapProfile,
        facts: Mapping[Line, list[CompilerFact]],
        sources: Mapping[str, str],
        focus: re.Pattern[str] | None,
        starters: Mapping[str, Site],
    ) -> None:
        self.is_linked = scan is not None and bool(scan.binary)
        self._starters = starters
        self.lines: dict[Line, _Bytes] = {}
        self.total = [0, 0, 0, 0]
        self.attributed = [0, 0, 0, 0]
        self.others: dict[tuple[str, str], list[int]] = {}
        self._entries: dict[tuple[str, str], list[int]] = {}
        self._misjoins = Misjoins(facts, sources)
        self._inlined = _inlined_sites(facts)
        frames = profile_frames(scan, profile)
        columns = [profile.values.get(name) for name in _VALUES]
        empty = [0] * len(profile)
        rows = zip(*((column if column is not None else empty) for column in columns), strict=True)
        for sample, values in enumerate(rows):
            numbers = [int(value) for value in values]
            if not any(numbers):
                continue
            stack = frames.stack(sample)
            if stack.roles and (focus is None or _in_focus(stack, focus)):
                self._take(stack, numbers)

    def _take(self, stack: Stack, values: list[int]) -> None:
        _add(self.total, values)
        index = stack.first_own
        if index < 0:
            root, leaf = stack.frame(-1).site.symbol, stack.frame(0).site.symbol
            if root in self._starters:
                _add(self.attributed, values)
                self._add_callee(self._starters[root], (root, leaf), values)
            else:
                _add(self.others.setdefault((root, leaf), [0, 0, 0, 0]), values)
        else:
            _add(self.attributed, values)
            self._attribute(stack, index, values)
        entry = entry_of(stack)
        _add(self._entries.setdefault(entry, [0, 0, 0, 0]), values)

    def _attribute(self, stack: Stack, index: int, values: list[int]) -> None:
        site = stack.frame(index).site
        leaf = stack.frame(0).site
        is_direct = index == 0 or (site.file, site.line, leaf.file, leaf.line) in self._inlined
        if is_direct:
            site = self._misjoins.mend(site)
            there = self._line(site)
            _add(there.direct, values)
            if self.is_linked:
                _add(there.by_location.setdefault(stack.leaf_location, [0, 0, 0, 0]), values)
        else:
            self._add_callee(site, (stack.frame(index - 1).site.symbol, leaf.symbol), values)

    def _line(self, site: Site) -> _Bytes:
        there = self.lines.get((site.file, site.line))
        if there is None:
            there = self.lines[site.file, site.line] = _Bytes(site)
        return there

    def _add_callee(self, site: Site, callee: tuple[str, str], values: list[int]) -> None:
        _add(self._line(site).callees.setdefault(callee, [0, 0, 0, 0]), values)

    def entry_points(self) -> tuple[EntryPoint, ...]:
        ranked = sorted(self._entries.items(), key=lambda item: (-item[1][2], -item[1][0], item[0]))
        return tuple(EntryPoint(function, kind, _measure(bytes_)) for (function, kind), bytes_ in ranked)


def _in_focus(stack: Stack, focus: re.Pattern[str]) -> bool:
    return any(focus.search(frame.site.symbol) or focus.search(str(frame.site.position)) for frame in stack)


def _add(sums: list[int], values: list[int]) -> None:
    sums[0] += values[0]
    sums[1] += values[1]
    sums[2] += values[2]
    sums[3] += values[3]


def _measure(sums: list[int]) -> Measure:
    return Measure(*sums)


def _site(line: Line, facts: Iterable[CompilerFact], measured: Site | None) -> Site:
    """Choose the function and package of a line: the compiler's own, else the profile's; the first column known."""
    own = [fact for fact in facts if not fact.inlined_at]
    heap = [fact for fact in own if fact.kind is FactKind.HEAP]
    column = next((fact.site.column for fact in (*heap, *own) if fact.site.column), 0)
    function = next((fact.function for fact in (*heap, *own) if fact.function), "")
    package = next((fact.package for fact in own), "")
    if not package:
        package = next((fact.package for fact in facts), "")
    if measured is not None:  # its function may be a copy of a closure, named after where it was inlined
        return Site(line[0], line[1], column, function or measured.function, package or measured.package)
    return Site(line[0], line[1], column, function, package)


def _facts_by_line(scan: Scan, code: CallsByLine | None) -> dict[Line, list[CompilerFact]]:
    """Facts under the first line of the user's code from the innermost site outward, repeats by inlining dropped."""
    owners = {file: package.package for package in scan.packages for file in package.files}
    folders = {posixpath.dirname(file) for file in owners}
    lines: dict[Line, dict[object, CompilerFact]] = defaultdict(dict)
    ordinals: dict[object, int] = {}
    for package in scan.packages:
        ordinals.clear()
        for fact in package.facts:
            moved = code is not None and _is_made_at_call(fact, code)
            place = _own_place(fact, owners, outward=moved)
            if place.line == 0 or (place.file not in owners and _is_foreign(place.file, folders)):
                continue
            # One text twice at one place can be two allocations; the same place seen from another caller is not.
            about = _about(fact.subject)
            seen = (fact.printed_at, fact.function, fact.site, fact.inlined_at, fact.kind, about)
            is_in_wrapper = bool(fact.inlined_at) and not fact.printed_at.column  # of several, all at <autogenerated>:1
            ordinals[seen] = 1 if is_in_wrapper else ordinals.get(seen, 0) + 1
            identity = (fact.kind, about, (fact.site, place) if moved else fact.site, ordinals[seen])
            known = lines[place.file, place.line].get(identity)
            if known is None or _is_nearer(fact, known, owners):
                lines[place.file, place.line][identity] = fact
    return {
        line: [_moved(fact, owners.get(line[0], fact.package)) for fact in facts.values()]
        for line, facts in lines.items()
    }


def _is_made_at_call(fact: CompilerFact, code: CallsByLine) -> bool:
    """Whether a fact tells of a parameter or named result of an inlined function, which is made where it is called.

    The compiler prints it at the function's signature; the assignment of an argument is the call's
    (cmd/compile/internal/inline/inl.go, Go 1.22 to 1.27). A variable of the body is made where it is declared.
    """
    if not fact.inlined_at or not fact.message.startswith("moved to heap: "):
        return False
    call = fact.inlined_at[0]
    return code.is_made_at_call((fact.site.file, fact.site.line), (call.file, call.line))


def _is_nearer(fact: CompilerFact, known: CompilerFact, owners: Mapping[str, str]) -> bool:
    """Whether of two copies of a fact this one is its own, or the first by name: files may come in any order."""
    if not _is_elsewhere(known, owners):
        return False
    return not _is_elsewhere(fact, owners) or (fact.package, fact.function) < (known.package, known.function)


def _is_elsewhere(fact: CompilerFact, owners: Mapping[str, str]) -> bool:
    """Whether a fact was printed where its code was inlined or instantiated, rather than where it stands."""
    return bool(fact.inlined_at) or owners.get(fact.site.file, fact.package) != fact.package


def _moved(fact: CompilerFact, package: str) -> CompilerFact:
    """Give a fact the package of the line that it is filed under, and the name of its function in a profile."""
    function = function_name(fact.function)
    return (
        fact
        if (fact.package, fact.function) == (package, function)
        else replace(fact, package=package, function=function)
    )


def _about(subject: str) -> str:
    """Return what an expression is called wherever it is printed: elsewhere names are qualified, arguments replaced."""
    head = subject if subject.startswith(("(", "*(")) else subject.partition("(")[0]
    return _QUALIFIER.sub("", head) if "." in head else head


def _is_foreign(file: str, folders: Container[str]) -> bool:
    """Whether a file that was not scanned belongs to std or a module, as instances of their generics are printed."""
    folder = posixpath.dirname(file)
    if folder in folders:
        return False  # named by a //line comment
    return "@" in folder or file.startswith("vendor/") or (bool(folder) and is_standard(folder))


def _own_place(fact: CompilerFact, owners: Mapping[str, str], *, outward: bool = False) -> Position:
    """The innermost position that lies in a scanned file, else where the fact is printed; `outward`: not its own."""
    if not fact.inlined_at:
        return fact.site
    places = fact.inlined_at if outward else (fact.site, *fact.inlined_at)
    for place in places:
        if place.file in owners:
            return place
    return fact.printed_at


def _inlined_sites(facts: Mapping[Line, list[CompilerFact]]) -> set[tuple[str, int, str, int]]:
    """Pairs of a user's line and a foreign line whose heap fact was inlined into it."""
    return set(_pairs(facts))


def _pairs(facts: Mapping[Line, list[CompilerFact]]) -> Iterator[tuple[str, int, str, int]]:
    for (file, line), there in facts.items():
        for fact in there:
            if fact.kind is FactKind.HEAP and fact.inlined_at and (fact.site.file, fact.site.line) != (file, line):
                yield file, line, fact.site.file, fact.site.line
