"""Findings under their roots: what one change would free, ranked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from whyheap.escape_graph.graph import EscapeGraph
from whyheap.escape_graph.hooks import Hook
from whyheap.escape_graph.titles import Titles
from whyheap.model.evidence import Agreement
from whyheap.model.finding import Finding
from whyheap.model.measure import Measure
from whyheap.model.root import Root

_ID_BYTES = 6


@dataclass(frozen=True, slots=True)
class Hanging:
    """Findings with the ids of their roots, and the roots: most bytes first, without bytes most sites.

    `held_twice` are the ids of findings that no single cut frees.
    """

    findings: list[Finding]
    roots: tuple[Root, ...]
    held_twice: frozenset[str]

    def under(self, findings: Iterable[Finding]) -> tuple[Root, ...]:
        """Return the roots with what hangs on them among some of the findings, ranked anew."""
        held: dict[str, list[Finding]] = defaultdict(list)
        for finding in findings:
            if finding.root is not None:
                held[finding.root].append(finding)
        kept = (_holding(root, held[root.id], self.held_twice) for root in self.roots if root.id in held)
        return tuple(sorted(kept, key=_order))


def hang(findings: Sequence[Finding], graph: EscapeGraph) -> Hanging:
    """Hang each finding about a heap value under its root. One that only a profile or machine code shows has none."""
    ids = _ids(graph.hook_of(number)[0] for number in graph.heap_facts)  # of all, so that no focus renumbers them
    last: dict[Hook, set[int]] = defaultdict(set)
    rooted: list[Finding] = []
    twice: set[str] = set()
    for finding in findings:
        number = _number(finding, graph)
        if number is None:
            rooted.append(finding)
            continue
        hook, where = graph.hook_of(number)
        last[hook].add(where)
        rooted.append(replace(finding, root=ids[hook]))
        if graph.is_held_twice(number):
            twice.add(finding.id)
    titles = Titles(graph)
    roots = [
        Root(ids[hook], hook.kind, titles.site(hook, sorted(facts)), titles.title(hook, sorted(facts)), hook.subject)
        for hook, facts in last.items()
    ]
    bare = Hanging(rooted, tuple(roots), frozenset(twice))
    return replace(bare, roots=bare.under(rooted))


def _holding(root: Root, findings: Sequence[Finding], twice: frozenset[str]) -> Root:
    """Return a root with exactly these findings."""
    real = [one for one in findings if one.agreement is not Agreement.NEVER_ALLOCATES]
    allocating = [one for one in real if one.id not in twice]
    patterns = Counter(one.pattern for one in allocating or findings)
    return replace(
        root,
        pattern=min(patterns, key=lambda one: (-patterns[one], one)),
        findings=tuple(one.id for one in findings),
        sites=len(allocating),
        files=len({one.site.file for one in allocating}),
        held_twice=len(real) - len(allocating),
        measure=_measure(allocating) if any(one.measure is not None for one in findings) else None,
    )


def _number(finding: Finding, graph: EscapeGraph) -> int | None:
    if not finding.facts or finding.agreement is Agreement.ALLOCATES_SILENTLY:
        return None
    return graph.number_of(finding.facts[0])


def _ids(hooks: Iterable[Hook]) -> dict[Hook, str]:
    """Name roots by package, function, kind and subject; equal ones are numbered by where they stand."""
    counted: Counter[tuple[str, ...]] = Counter()
    ids = {}
    distinct = {id(hook): hook for hook in hooks}.values()  # most are one object: comparing them costs more
    for hook in sorted(set(distinct), key=lambda one: (one.kind, one.package, one.function, one.subject, one.at)):
        key = (hook.kind.value, hook.package, hook.function, hook.subject)
        text = "\0".join(("root", *key, str(counted[key])))
        counted[key] += 1
        ids[hook] = blake2b(text.encode(errors="surrogatepass"), digest_size=_ID_BYTES).hexdigest()
    return ids


def _measure(findings: Sequence[Finding]) -> Measure:
    """Sum the bytes of findings; those that several of them share are counted once."""
    ours = {one.id for one in findings}
    total = Measure()
    for one in findings:
        if one.measure is None:
            continue
        is_counted = any(other in ours and other < one.id for other in one.shared_with)
        total += sum((callee.measure for callee in one.callees), Measure()) if is_counted else one.measure
    return total


def _order(root: Root) -> tuple[object, ...]:
    """Rank by the larger of bytes in use and allocated, then by sites."""
    measure = root.measure or Measure()
    return -max(measure.inuse_bytes, measure.alloc_bytes), -root.sites, root.title, root.id
