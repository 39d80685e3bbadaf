"""What one of the user's rules is, and what may be wrong with a rule file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

PREFIX = "rule:"
"""Findings of a rule carry its id behind this as their pattern."""


class Severity(StrEnum):
    """How much a match matters to those who wrote the rule."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Requires(StrEnum):
    """Which witness must confirm what the syntax shows."""

    NONE = "none"  # nobody: a match is a candidate
    HEAP = "heap"  # the compiler puts something in the matched code on the heap
    ALLOCATES = "allocates"  # machine code calls the allocator there, or a profile measured bytes there
    BOUNDS_CHECK = "bounds-check"  # the compiler kept a bounds check there


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `config` is what ast-grep is given; `message` and `fix` may name its meta variables ($X, $$$ARGS).

    `file` and `line` (1-based) say where it was written.
    """

    id: str
    message: str
    config: Mapping[str, Any]
    severity: Severity = Severity.WARNING
    requires: Requires = Requires.NONE
    fix: str = ""
    note: str = ""
    file: str = ""
    line: int = 0

    @property
    def slug(self) -> str:
        """What its findings carry as their pattern."""
        return f"{PREFIX}{self.id}"


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """What is wrong with a rule, and where; the other rules still run. `line` is 0 for a whole file."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        """Print as Go tools do: file:line: reason."""
        return f"{self.file}:{self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


@dataclass(frozen=True, slots=True)
class UserRules:
    """All rules that apply, and what could not be read. `key` is equal when the rules are."""

    rules: tuple[Rule, ...] = ()
    problems: tuple[RuleProblem, ...] = ()
    key: str = field(default="")
