"""go.uber.org/goleak's options, as far as a test file writes them out: goroutines that its author knows and accepts.

Source: goleak options.go (1.1 to 1.3): IgnoreTopFunction compares the first function of the stack, IgnoreAnyFunction
each of them, IgnoreAnyContainingPkg whether a function is of the package, IgnoreCreatedBy the creator. IgnoreCurrent
depends on when it is called and is not read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MODULE = '"go.uber.org/goleak"'
_OPTION = re.compile(
    r"\bgoleak\.(IgnoreTopFunction|IgnoreAnyFunction|IgnoreAnyContainingPkg|IgnoreCreatedBy)\(\s*(?:\"([^\"\n]+)\"|`([^`\n]+)`)"
)
_CREATED = "created by "


@dataclass(frozen=True, slots=True)
class Ignored:
    """One option with its text; `file` is where it stands."""

    option: str
    text: str
    file: str

    @property
    def said(self) -> str:
        """How a note names it."""
        return f'goleak.{self.option}("{self.text}") in {self.file}'

    def fits(self, trace: str) -> bool:
        """Whether the option names a goroutine, given its trace."""
        lines = [line for line in trace.splitlines()[1:] if not line.startswith("\t")]
        creators = [line.removeprefix(_CREATED).partition(" in goroutine ")[0] for line in lines if _is_creator(line)]
        functions = [line.rpartition("(")[0] for line in lines if not _is_creator(line)]
        if self.option == "IgnoreTopFunction":
            return functions[:1] == [self.text]
        if self.option == "IgnoreAnyFunction":
            return self.text in functions
        if self.option == "IgnoreCreatedBy":
            return self.text in creators
        return any(one.startswith((f"{self.text}.", f"{self.text}/")) for one in functions)


def _is_creator(line: str) -> bool:
    return line.startswith(_CREATED)


def goleak_options(source: str, file: str) -> Iterator[Ignored]:
    """Yield the options that a test file writes out."""
    if _MODULE in source:
        for found in _OPTION.finditer(source):
            yield Ignored(found[1], found[2] or found[3], file)
