"""Pairs of samples to ask benchstat's statistics about, drawn by a seed; and its answers, recorded or asked again."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

PROGRAM = Path(__file__).parent / "benchstat"
RECORDED = Path(__file__).parent / "recorded" / "benchstat.json"
COUNT = 600
_CONFIDENCES = (0.95, 0.95, 0.95, 0.9, 0.99, 0.5, 1.0, 0.0)


class Case(NamedTuple):
    before: list[float]
    after: list[float]
    confidence: float


class Summary(msgspec.Struct):
    """`lo` and `hi` are None where they are infinite."""

    center: float
    lo: float | None
    hi: float | None
    confidence: float


class Answer(msgspec.Struct):
    """What benchstat's statistics say; `exchanged` is p with the samples exchanged."""

    p: float
    exchanged: float
    before: Summary
    after: Summary


def cases(seed: int, count: int = COUNT) -> list[Case]:
    """Draw samples of 1 to 80 values: allocations with zeros and many ties, times, all equal ones."""
    lot = random.Random(seed)  # noqa: S311 - test data
    found = []
    for _ in range(count):
        most = lot.choice((4, 10, 26, 31, 52, 80))
        sizes = [lot.randrange(1, most), lot.randrange(1, most)]
        if lot.random() < 0.5:
            sizes[1] = sizes[0]
        kind = lot.randrange(6)
        before, after = (_sample(lot, size, kind if lot.random() < 0.9 else lot.randrange(6)) for size in sizes)
        shift = lot.choice((0, 0, 1, 16))
        found.append(Case(before, [value + shift for value in after], lot.choice(_CONFIDENCES)))
    return found


def _sample(lot: random.Random, size: int, kind: int) -> list[float]:
    draws = (
        lambda: round(lot.gauss(1000, 50), 2),
        lambda: float(lot.randrange(4)),
        lambda: lot.choice((0.0, 0.0, 0.0, 16.0, 32.0)),
        lambda: 5.0,
        lambda: round(lot.expovariate(1 / 50), 1),
        lambda: round(lot.lognormvariate(3, 2), 4),
    )
    return [draws[kind]() for _ in range(size)]


def ask(go: Path, questions: Sequence[Case], folder: Path, env: dict[str, str]) -> list[Answer]:
    """Build the program of tests/benchstat into `folder` and return its answers."""
    program = folder / "benchstat"
    built = subprocess.run(
        [go, "build", "-o", program, "."],
        cwd=PROGRAM,
        env={**os.environ, **env, "GOFLAGS": "", "GOWORK": "off"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    text = json.dumps([question._asdict() for question in questions])
    done = subprocess.run([program], input=text.encode(), check=True, capture_output=True)
    return msgspec.json.decode(done.stdout, type=list[Answer])


def end(value: float) -> float | None:
    return None if math.isinf(value) else value
