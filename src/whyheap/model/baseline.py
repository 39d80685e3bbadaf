"""What a gate was told to take for granted: the ways to the heap of one build, by id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SCHEMA = 1
"""Raise it, too, when ids of unchanged code come out differently (patterns/judge.py): all sites would be new."""


@dataclass(frozen=True, slots=True)
class BaselineEntry:
    """One way to the heap: its id, and for people what it is and where."""

    id: str
    pattern: str
    package: str
    function: str
    subject: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """All entries by id, and the build that they are of.

    `go` is the toolchain ("go1.27.3"), `platform` GOOS/GOARCH; `tags` and `gcflags` as on the command line; `tests`
    says whether tests were scanned, too.
    """

    go: str
    platform: str
    tags: str = ""
    gcflags: str = ""
    tests: bool = False
    entries: Mapping[str, BaselineEntry] = field(default_factory=dict)
