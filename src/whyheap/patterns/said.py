"""What the compiler said anywhere in the scan that a matcher may ask about another line: leaks and moved variables."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from whyheap.model.evidence import Evidence
from whyheap.model.facts import CompilerFact, FactKind
from whyheap.patterns.printed import without_types
from whyheap.patterns.symbol import is_same_function

_LEAK: Final = re.compile(r"leaking param( content)?: (\S+)$")
_QUALIFIED: Final = re.compile(r"(?<![\w.])\w+\.(?=\w+\))")
_MOVED: Final = "moved to heap: "


class Said:
    """Facts of all lines by function: which parameters leak to the heap, which variables were moved there."""

    def __init__(self, evidence: Iterable[Evidence] = ()) -> None:
        """Read the facts once; leaks of inlined copies are left out."""
        self._leaks: dict[str, dict[str, list[CompilerFact]]] = defaultdict(dict)
        self._moved: set[tuple[str, str, str]] = set()
        self._moved_names: set[tuple[str, str]] = set()
        self._moved_lines: dict[tuple[str, str], list[int]] = defaultdict(list)
        for one in evidence:
            for fact in one.facts:
                if fact.kind is FactKind.PARAM_LEAK and not fact.inlined_at and _LEAK.match(fact.message):
                    self._leaks[_shape(fact.function)].setdefault(fact.package, []).append(fact)
                elif fact.kind is FactKind.HEAP and fact.message.startswith(_MOVED):
                    self._moved.add((fact.package, _outermost(fact.function), fact.subject))
                    self._moved_names.add((fact.package, fact.subject))
                    self._moved_lines[fact.site.file, fact.subject].append(fact.site.line)

    def is_moved(self, package: str, function: str, name: str) -> bool:
        """Whether a variable of a function, or of a closure in it, is on the heap itself."""
        return (package, _outermost(function), name) in self._moved

    def is_moved_somewhere(self, package: str, name: str) -> bool:
        """Whether any function of a package has a variable of this name on the heap: for one that was inlined."""
        return (package, name) in self._moved_names

    def moved_lines(self, file: str, name: str) -> list[int]:
        """Return the lines of a file at which variables of a name are declared that are on the heap themselves."""
        return self._moved_lines.get((file, name), [])

    def leaks(self, callee: str, package: str) -> dict[str, CompilerFact]:
        """Return the parameters that a printed callee leaks to the heap: name -> the compiler's fact.

        `callee` is as printed in `package`. Empty when the callee is not in the scan, or leaks nothing.
        """
        for where, facts in self._leaks.get(_shape(callee), {}).items():
            if is_same_function(without_types(callee), f"{where}.{without_types(facts[0].function)}", package):
                return {fact.subject: fact for fact in facts}
        return {}


def _outermost(function: str) -> str:
    return function.partition(".func")[0]


def _shape(function: str) -> str:
    """Return what a function is called from everywhere: `F`, `(*T).M`, without package and type arguments."""
    bare = without_types(function)
    if bare.startswith("("):
        return _QUALIFIED.sub("", bare)
    return bare.rpartition(".")[2] if bare.count(".") == 1 and bare[:1].islower() else bare
