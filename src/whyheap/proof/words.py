"""What the compiler says of a package before and after edits, compared without line numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from whyheap.model.facts import CompilerFact, FactKind
from whyheap.model.scan import ScannedPackage

_NUMBERS = re.compile(r"\.func\d*(?:\.\d+)*(?:#[^#\s]*#)?|\b(?:autotmp_|stmp_)\d+|(?<=\.)\d+\b(?:#[^#\s]*#)?")


@dataclass(frozen=True, slots=True, order=True)
class Word:
    """A heap fact without its place: the function (closures without their numbers) and the subject."""

    function: str
    subject: str

    @property
    def owner(self) -> str:
        """The function that is declared, of what stands in a closure."""
        return self.function.partition(".func")[0]


def word(fact: CompilerFact) -> Word:
    """Return what is compared of a fact."""
    return Word(_NUMBERS.sub(".func", fact.function), _NUMBERS.sub("", fact.subject))


def heap_words(package: ScannedPackage) -> Counter[Word]:
    """Count a package's heap facts, each place once: generics and test variants repeat them.

    What is said once more where a function of the package is inlined is left out: an edit may let more be inlined. So
    is what the compiler writes itself, the methods of a struct without a name.
    """
    own = frozenset(package.files)
    seen = {
        (fact.printed_at, fact.subject, fact.function): word(fact)
        for fact in package.facts
        if fact.kind is FactKind.HEAP and not (fact.inlined_at and fact.site.file in own)
        if "struct {" not in fact.function
    }
    return Counter(seen.values())


def is_expected(subject: str, brings: Iterable[str]) -> bool:
    """Whether an edit announced a new heap fact."""
    return any(re.search(pattern, subject) for pattern in brings)
