"""Places where profile and compiler name different lines for one allocation (field/profiles: known misjoins).

Measured on Go 1.22.10 to 1.27.3: a moved parameter is blamed by pprof on the line of `func`, and since 1.26 a slice
that grows by append and is returned is blamed on the line of `return`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from whyheap.model.facts import CompilerFact, FactKind
from whyheap.model.site import Site

_SIGNATURE_LINES = 12


class Misjoins:
    """Moves bytes from a line without a heap fact to the line of the fact they belong to."""

    def __init__(self, facts: Mapping[tuple[str, int], list[CompilerFact]], sources: Mapping[str, str]) -> None:
        """`facts` are all facts by (file, line); without a source its returned appends stay where pprof puts them."""
        self._sources = sources
        self._heap: set[tuple[str, int]] = set()
        self._moved: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._appends: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._telling: set[tuple[str, int]] = set()
        for (file, line), there in facts.items():
            for fact in there:
                if fact.kind is FactKind.HEAP:
                    self._heap.add((file, line))
                    if fact.message.startswith("moved to heap: ") and not fact.inlined_at:
                        self._moved[file, fact.function].append(line)
                if fact.kind in {FactKind.HEAP, FactKind.STACK} and fact.message.startswith("append "):
                    self._telling.add((file, line))
                    self._appends[file, fact.function].add(line)

    def mend(self, site: Site) -> Site:
        """Return the site that the compiler speaks of, the same one where the two agree."""
        here = (site.file, site.line)
        if here in self._heap or here in self._telling:
            return site
        moved = [
            line for line in self._moved.get((site.file, site.function), ()) if 0 < line - site.line <= _SIGNATURE_LINES
        ]
        if moved:
            return replace(site, line=min(moved))
        appends = self._appends.get((site.file, site.function), set())
        if len(appends) == 1 and self._is_return(site):
            return replace(site, line=next(iter(appends)))
        return site

    def _is_return(self, site: Site) -> bool:
        lines = self._sources.get(site.file, "").splitlines()
        return site.line <= len(lines) and lines[site.line - 1].lstrip().startswith("return")
