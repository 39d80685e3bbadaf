"""Judges lines: evidence in, named findings out. Every heap fact and every measured byte ends in a finding."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from whyheap.model.evidence import Agreement, CalleeBytes, Evidence
from whyheap.model.facts import AllocatorCall, FactKind
from whyheap.model.finding import Certainty, Finding
from whyheap.model.measure import Measure
from whyheap.patterns import callee_allocation, compiler_reason
from whyheap.patterns.catalogue import RULES
from whyheap.patterns.context import Context
from whyheap.patterns.symbol import is_same_function

_ID_BYTES = 6
_NUMBERED = re.compile(r"\b(autotmp_|stmp_|state)\d+(@\d+)?")
_COUNTED = re.compile(r"(?<=[.-])(func|gowrap|deferwrap|range|)\d+")
"""Numbers in function names, in order of the package's files: F.func1.2, init.0, F-range1, glob..func3."""


@dataclass(slots=True)
class _Draft:
    """A finding before it has its id; `shares`: whether the line's own bytes may be its."""

    finding: Finding
    shares: bool
    callees: list[CalleeBytes] = field(default_factory=list)
    id: str = ""


def judge(evidence: Iterable[Evidence], context: Context) -> list[Finding]:
    """Return the findings of all lines, line by line in the given order, by column within a line.

    Each heap fact is in exactly one finding; repeats of one fact at one place share one. The first pattern that claims
    a fact wins. Sums over findings count shared bytes twice: use `explained` for totals.
    """
    evidence = tuple(evidence)
    context.hear(evidence)
    judged = ((one, _drafts(one, context)) for one in evidence)
    lines = [(one, drafts) for one, drafts in judged if drafts]
    counted: dict[tuple[str, ...], int] = {}
    for one, drafts in sorted(lines, key=lambda line: (line[0].site.package, line[0].site.file, line[0].site.line)):
        for draft in drafts:
            key = _identity(draft.finding, one, context)
            counted[key] = ordinal = counted.get(key, -1) + 1
            text = "\0".join((*key, str(ordinal)))
            draft.id = blake2b(text.encode(errors="surrogatepass"), digest_size=_ID_BYTES).hexdigest()
    return [finding for one, drafts in lines for finding in _measured(one, drafts)]


def explained(findings: Iterable[Finding]) -> Measure:
    """Return the bytes that findings carry, those that several findings of a line share counted once.

    Takes all findings of the lines it is asked about: the one that counts the shared bytes must be among them.
    """
    total = Measure()
    for finding in findings:
        calls = sum((one.measure for one in finding.callees), Measure())
        total += calls
        if finding.measure is not None and all(finding.id < other for other in finding.shared_with):
            total += _difference(finding.measure, calls)
    return total


def _identity(finding: Finding, evidence: Evidence, context: Context) -> tuple[str, ...]:
    """Return what a finding's id is made of, besides an ordinal among equals.

    What the compiler says, what machine code alone shows and what only a profile shows are counted apart, as each may
    be without the other. As a profile samples, the text of their line tells its findings apart rather than how many
    of them are in it. Numbers of closures and of init functions are left out: they change with the order of files. So
    does the way to the heap that the compiler prints of several, and with it the pattern: only silent findings have
    it in their ids. Who changes this raises SCHEMA in model/baseline.py.
    """
    site = finding.site
    function = _COUNTED.sub(r"\1", site.function)
    subject = function if finding.subject == site.function else plain_subject(finding)
    if not _is_silent(finding):
        return (site.package, function, subject, "heap")
    key = (site.package, function, subject, finding.pattern)
    return (*key, "silent") if finding.calls else (*key, "measured", context.line_text(evidence))


def plain_subject(finding: Finding) -> str:
    """Return the subject without the compiler's running numbers, as an id has it."""
    return _NUMBERED.sub(r"\1", finding.subject)


def _drafts(evidence: Evidence, context: Context) -> list[_Draft]:
    found = _claimed(evidence, context)
    drafts = [_Draft(finding, finding.agreement is not Agreement.NEVER_ALLOCATES) for finding in found]
    unnamed = _unnamed_calls(evidence, context, found)
    carriers = [draft for draft in drafts if draft.shares]
    if unnamed or (evidence.direct and not carriers):
        drafts.append(_Draft(compiler_reason.silent(evidence, context, unnamed), shares=True))
        carriers = [draft for draft in drafts if draft.shares]
    drafts.sort(key=lambda draft: draft.finding.site.column)
    left = []
    for callee in filter(lambda one: bool(one.measure), evidence.callees):
        named = next((one for one in carriers if _calls(one.finding, callee, evidence.site.package)), None)
        if named is None:
            left.append(callee)
        else:
            named.callees.append(callee)
    if left:
        rest = callee_allocation.match(replace(evidence, callees=tuple(left)), context)
        drafts += [_Draft(finding, shares=False, callees=list(finding.callees)) for finding in rest]
    return drafts


def _unnamed_calls(evidence: Evidence, context: Context, findings: Iterable[Finding]) -> tuple[AllocatorCall, ...]:
    """Return the allocator calls of the line that neither a heap fact nor a pattern accounts for."""
    silent = context.silent_calls(evidence)
    if not silent:
        return ()
    named = {id(call) for finding in findings if _is_silent(finding) for call in finding.calls or ()}
    return tuple(call for call in silent if id(call) not in named)


def _claimed(evidence: Evidence, context: Context) -> list[Finding]:
    """Return one finding per heap fact, by order of precedence, repeats merged; and the silent ones."""
    escapes = context.escapes(evidence)
    is_silent = context.is_silent(evidence)
    if not escapes and not is_silent:
        return []
    unclaimed = Counter(id(escape.fact) for escape in escapes)
    findings: list[Finding] = []
    for rule in RULES:
        found = list(rule.match(evidence, context))
        if found:
            findings += _claim(found, unclaimed)
            if not unclaimed and not is_silent:
                break
    if unclaimed:
        findings += _claim(compiler_reason.match(evidence, context), unclaimed)
    return findings if len(findings) < 2 else list(_merged(findings))  # noqa: PLR2004 - one has no repeat


def _claim(findings: Iterable[Finding], unclaimed: Counter[int]) -> Iterator[Finding]:
    """Yield the findings whose fact no earlier pattern has taken, and silent ones, which take none."""
    for finding in findings:
        if _is_silent(finding):
            yield finding
            continue
        fact = id(finding.facts[0])
        if unclaimed[fact]:
            unclaimed[fact] -= 1
            if not unclaimed[fact]:
                del unclaimed[fact]
            yield finding


def _is_silent(finding: Finding) -> bool:
    """Whether the compiler says nothing of the heap here."""
    return not any(fact.kind is FactKind.HEAP for fact in finding.facts)


def _merged(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Merge findings about repeats of one fact: one instantiation of a generic after the other, a test variant."""
    same: dict[object, list[Finding]] = {}
    for finding in findings:
        fact = finding.facts[0] if finding.facts else None
        place = (fact.printed_at, fact.site, fact.inlined_at) if fact is not None else None
        same.setdefault((finding.pattern, finding.subject, finding.agreement, place), []).append(finding)
    for group in same.values():
        yield group[0] if len(group) == 1 else _united(group)


def _united(group: list[Finding]) -> Finding:
    """Return one finding with the facts of all, and the calls of all, each once."""
    told = [one.calls for one in group if one.calls is not None]
    calls = tuple({id(call): call for calls in told for call in calls}.values()) if told else None
    return replace(group[0], facts=tuple(fact for one in group for fact in one.facts), calls=calls)


def _measured(evidence: Evidence, drafts: list[_Draft]) -> Iterator[Finding]:
    """Give ids and measures: the line's own bytes to all that may have allocated them, a call's bytes to one."""
    profiled = evidence.profiled or bool(evidence.measure)
    owned = _split(evidence, drafts)
    for draft in drafts:
        finding = draft.finding
        if not profiled:
            yield replace(finding, id=draft.id)
            continue
        direct, sharing = owned.get(draft.id, (Measure(), ()))
        measure = sum((one.measure for one in draft.callees), direct)
        shared = tuple(other for other in sharing if other != draft.id)
        yield replace(
            finding,
            id=draft.id,
            measure=measure,
            callees=tuple(draft.callees),
            shared_with=shared,
            certainty=Certainty.MEASURED if measure else finding.certainty,
        )


def _split(evidence: Evidence, drafts: Iterable[_Draft]) -> dict[str, tuple[Measure, tuple[str, ...]]]:
    """Return the line's own bytes that each finding may have allocated, and the ids that share them, by id.

    With the profiled binary's machine code, bytes go to the findings whose calls made them; without, all share all.
    """
    carriers = [draft for draft in drafts if draft.shares]
    if not evidence.direct:
        return {}
    measured = dict(evidence.call_bytes)
    groups: dict[frozenset[int], list[_Draft]] = {}
    for draft in carriers:
        made = frozenset(call.address for call in draft.finding.calls or () if call.address in measured)
        groups.setdefault(made, []).append(draft)
    told = [address for made in groups for address in made]
    if not measured or len(told) != len(set(told)) or set(told) != set(measured):
        groups = {frozenset(): carriers}
        measured = {}
    owned = {}
    for made, group in groups.items():
        direct = sum((measured[address] for address in made), Measure()) if measured else evidence.direct
        ids = tuple(draft.id for draft in group) if direct else ()
        owned.update({draft.id: (direct, ids) for draft in group})
    return owned


def _calls(finding: Finding, callee: CalleeBytes, package: str) -> bool:
    named = finding.labels.get("callee", "")
    return bool(named) and is_same_function(named, callee.callee, package)


def _difference(whole: Measure, part: Measure) -> Measure:
    return Measure(
        whole.inuse_bytes - part.inuse_bytes,
        whole.inuse_objects - part.inuse_objects,
        whole.alloc_bytes - part.alloc_bytes,
        whole.alloc_objects - part.alloc_objects,
    )
