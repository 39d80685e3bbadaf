"""Popular claims about Go's memory: each is a program in lab/folklore, with what the claim predicts of it.

The comment above the package clause holds, one per line (further lines go on where the one before ended):

    // Claim: what people say
    // Truth: what is so
    // Probe: run                                 how it is measured (see probes.py); several may stand here
    // Predicts: returned == 1, in words          what is measured if the claim is right
    // Shows: inlined, in words                   what is measured besides

A verdict is never written down: a claim is true when all its predictions hold on all versions, false when none does on
any, half true else.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from whyheap.errors import UsageError

FOLDER: Final = Path(__file__).with_name("folklore")
_KEY = re.compile(r"^// (Claim|Truth|Probe|Predicts|Shows): (.*)$")
_PREDICTION = re.compile(r"^([\w.]+) (==|!=|<=|>=|<|>) ([\w.]+), (.+)$")
_OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
Values = Mapping[str, float]


class ClaimVerdict(StrEnum):
    """What measuring says of a claim."""

    TRUE = "true"
    HALF = "half"
    FALSE = "false"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a claim predicts: a measured value compared with a number or another value."""

    name: str
    relation: str
    other: str
    words: str

    def holds(self, values: Values) -> bool | None:
        """Whether it holds; None where one of the values was not measured."""
        left = values.get(self.name)
        right = float(self.other) if self.other.replace(".", "", 1).isdigit() else values.get(self.other)
        if left is None or right is None:
            return None
        return _OPERATORS[self.relation](left, right)


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim. `probes` are names with their argument; `shows` are values without a prediction, with their words."""

    slug: str
    claim: str
    truth: str
    probes: tuple[tuple[str, str], ...]
    predictions: tuple[Prediction, ...]
    shows: tuple[tuple[str, str], ...]
    source: str

    @property
    def file(self) -> str:
        """The program's file name."""
        return f"{self.slug.replace('-', '_')}.go"


def verdict(claim: Claim, measured: Iterable[Values]) -> ClaimVerdict:
    """Judge a claim by the values of one or several Go versions."""
    answers = [one.holds(values) for values in measured for one in claim.predictions]
    known = [answer for answer in answers if answer is not None]
    if not known:
        return ClaimVerdict.UNKNOWN
    if all(known):
        return ClaimVerdict.TRUE
    return ClaimVerdict.HALF if any(known) else ClaimVerdict.FALSE


@cache
def claims() -> tuple[Claim, ...]:
    """Return all claims, by file name. A Go file without a claim belongs to another one's probe."""
    read = (
        parse(path.stem.replace("_", "-"), path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.go"))
    )
    return tuple(one for one in read if one is not None)


def claim_of(slug: str) -> Claim:
    """Return one claim; UsageError with the nearest slug when there is none."""
    known = {one.slug: one for one in claims()}
    found = known.get(slug)
    if found is None:
        near = get_close_matches(slug, known, n=1, cutoff=0.6)
        hint = f"Did you mean {near[0]}?  " if near else ""
        raise UsageError(f"There is no claim {slug!r}.", f"{hint}All of them:  whyheap lab folklore")
    return found


def parse(slug: str, source: str) -> Claim | None:
    """Read the head of a program; None when it makes no claim. Raises UsageError for a prediction that is none."""
    entries: list[list[str]] = []
    for line in source.splitlines():
        found = _KEY.match(line)
        if found:
            entries.append([found[1], found[2]])
        elif line.startswith("// ") and entries and not line.startswith("//go:"):
            entries[-1][1] += f" {line[3:]}"
        else:
            break
    if not entries:
        return None
    texts = {key: " ".join(text.split()) for key, text in entries if key in {"Claim", "Truth"}}
    probes = (text.partition(" ") for key, text in entries if key == "Probe")
    shows = (text.partition(", ") for key, text in entries if key == "Shows")
    return Claim(
        slug,
        texts["Claim"],
        texts["Truth"],
        tuple((name, argument) for name, _, argument in probes),
        tuple(_prediction(slug, text) for key, text in entries if key == "Predicts"),
        tuple((name, words) for name, _, words in shows),
        source,
    )


def _prediction(slug: str, text: str) -> Prediction:
    found = _PREDICTION.match(text)
    if found is None:
        raise UsageError(f"{slug}: {text!r} is no prediction", "Write: NAME == VALUE, in words")
    return Prediction(*found.groups())
