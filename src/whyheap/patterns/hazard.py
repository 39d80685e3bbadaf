"""Judges lines by risks that the compiler confirms: a bounds check that it kept, where syntax shows what it guards.

These findings allocate nothing. They are made from facts that the join leaves out, and stand in no ranking of lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.catalogue import HAZARDS
from whyheap.patterns.context import Context
from whyheap.patterns.top_level import function_of


def judge_hazards(evidence: Iterable[Evidence], context: Context) -> list[Finding]:
    """Return the hazards of lines whose facts are kept bounds checks, in the given order."""
    found = []
    counted: Counter[tuple[str, ...]] = Counter()
    for one in evidence:
        file = context.file(one)
        if file is None:
            continue
        for finding in (finding for rule in HAZARDS for finding in rule.match(one, context)):
            site = replace(finding.site, function=finding.site.function or function_of(file, finding.site.line))
            key = (site.package, site.function, finding.pattern, finding.subject)
            text = "\0".join((*key, str(counted[key])))
            counted[key] += 1
            name = blake2b(text.encode(errors="surrogatepass"), digest_size=6).hexdigest()
            found.append(replace(finding, id=name, site=site))
    return found
