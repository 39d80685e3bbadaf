"""Constructions in functions that could be made once: seen in the text, as no fact of the compiler speaks of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import blake2b

from whyheap.model.finding import Certainty, Finding
from whyheap.model.scan import Scan
from whyheap.model.site import Site
from whyheap.patterns.construction_per_call import PATTERN
from whyheap.patterns.construction_per_call.edit import lines_with_candidates
from whyheap.patterns.syntax import GoFile
from whyheap.patterns.top_level import function_of


def constructions(scan: Scan, texts: Mapping[str, str]) -> list[Finding]:
    """Return a finding for each line inside of a function that constructs what could be kept."""
    found = []
    for package in scan.packages:
        counted: Counter[str] = Counter()
        for file in package.files:
            for site, text in _sites(file, package.package, texts.get(file, "")):
                key = f"{package.package}\0{site.function}\0{PATTERN.slug}\0{text}"
                name = blake2b(f"{key}\0{counted[key]}".encode(errors="surrogatepass"), digest_size=6).hexdigest()
                counted[key] += 1
                message = "constructed on each call"
                found.append(Finding(name, PATTERN.slug, site, text, message, Certainty.INFERRED, fixes=PATTERN.fixes))
    return found


def _sites(file: str, package: str, text: str) -> Iterator[tuple[Site, str]]:
    lines = list(lines_with_candidates(text))
    syntax = GoFile(text) if lines else None
    for line in lines:
        function = function_of(syntax, line) if syntax is not None else ""
        if not function:
            continue
        yield Site(file, line, 0, function, package), text.split("\n")[line - 1].strip()
