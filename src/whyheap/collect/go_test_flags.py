"""The flags of go test that a user gives: which of them concern whyheap, and which it cannot run with."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from whyheap.errors import UsageError

_REFUSED = {
    "c": "builds a test binary without running it: nothing would be checked",
    "json": "turns the output into JSON, which whyheap reads as text: write the result with  -o FILE",
    "n": "prints commands without running them: nothing would be checked",
    "list": "lists tests without running them: nothing would be checked",
    "fuzz": "runs a fuzz target in many processes, which end when they are killed: run it with go test",
    "C": "changes the folder: change it before you call whyheap",
    "h": "is go test's own help:  go help test",
    "help": "is go test's own help:  go help test",
}
_FOR_LIST = frozenset({"tags", "mod", "modfile", "race", "msan", "asan"})
"""Flags that decide which files a package has."""
_BOOLEAN = frozenset(
    {"race", "msan", "asan", "cover", "v", "short", "json", "c", "n", "failfast", "benchmem", "a", "x", "i", "work"}
    | {"trimpath", "modcacherw", "linkshared", "buildvcs", "fullpath", "artifacts"}
)
"""Those of go help build, go help testflag (1.22 to 1.27): a word behind one of them is not its value."""
_ARGUMENTS = "args"
_DISTORTING = ("race", "msan", "asan", "cover", "coverprofile", "covermode", "coverpkg")


@dataclass(frozen=True, slots=True)
class GoTestFlag:
    """One flag as it was given: its name without dashes and "test.", its value, and the words themselves."""

    name: str
    value: str
    words: tuple[str, ...]


def read_flags(words: Sequence[str]) -> Iterator[GoTestFlag]:
    """Cut words into flags; what follows -args, or is no flag, is one of name ""."""
    at = 0
    while at < len(words):
        word = words[at]
        name, equals, value = word.lstrip("-").partition("=")
        name = name.removeprefix("test.")
        if not word.startswith("-") or name == _ARGUMENTS:
            yield GoTestFlag("", "", tuple(words[at:]))
            return
        length = 1
        if not equals and name not in _BOOLEAN and at + 1 < len(words) and not words[at + 1].startswith("-"):
            value = words[at + 1]
            length = 2
        yield GoTestFlag(name, value or ("true" if name in _BOOLEAN else ""), tuple(words[at : at + length]))
        at += length


@dataclass(frozen=True, slots=True)
class GoTestFlags:
    """The user's flags of go test, from the command line and from GOFLAGS."""

    given: tuple[GoTestFlag, ...]
    inherited: tuple[GoTestFlag, ...] = ()

    @classmethod
    def read(cls, words: Sequence[str], goflags: str = "") -> GoTestFlags:
        """Read both. Raises UsageError for flags that whyheap test cannot run with."""
        try:
            inherited = shlex.split(goflags)
        except ValueError as error:
            raise UsageError(f"GOFLAGS cannot be read: {error}", "Put its quotes right") from error
        flags = cls(tuple(read_flags(words)), tuple(read_flags(inherited)))
        for place, found in (("", flags.given), (" (from GOFLAGS)", flags.inherited)):
            for flag in found:
                if flag.name in _REFUSED and flag.value != "false":
                    raise UsageError(f"-{flag.name}{place} {_REFUSED[flag.name]}", "Leave it out")
        return flags

    def value(self, name: str) -> str:
        """Return the value that is in force, empty without one: the last on the command line, else in GOFLAGS."""
        for flags in (self.given, self.inherited):
            for flag in reversed(flags):
                if flag.name == name:
                    return flag.value
        return ""

    def is_on(self, name: str) -> bool:
        """Whether a boolean flag is set."""
        return self.value(name) not in {"", "false", "0"}

    def has(self, name: str) -> bool:
        """Whether a flag was given at all."""
        return any(flag.name == name for flag in (*self.given, *self.inherited))

    def for_test(self) -> list[str]:
        """Return the words for go test, without -overlay, which is merged into ours."""
        return [word for flag in self.given if flag.name != "overlay" for word in flag.words]

    @property
    def covers_testing(self) -> bool:
        """Whether -coverpkg takes in package testing. `all` does, as all tests import it; see go help packages."""
        for pattern in self.value("coverpkg").split(","):
            form = re.escape(pattern).replace(r"\.\.\.", ".*")
            if pattern in {"all", "std"} or re.fullmatch(form, "testing") or pattern == "testing/...":
                return True
        return False

    def first_word(self) -> str:
        """Return the first word that is no flag, before -args; empty without one. Go may take it for a package."""
        rest = next((flag.words[0] for flag in self.given if not flag.name), "")
        return "" if rest.startswith("-") else rest

    def for_list(self) -> list[str]:
        """Return the words for go list, which must see the same files; GOFLAGS it reads itself."""
        return [f"-{flag.name}={flag.value}" for flag in self.given if flag.name in _FOR_LIST]

    @property
    def distorts_allocations(self) -> str:
        """The flag under which a program allocates other than usual, empty without one."""
        return next((f"-{name}" for name in _DISTORTING if self.is_on(name)), "")
