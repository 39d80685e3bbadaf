"""Reads the `// want` comments of an example.go: what whyheap must find on a line, per Go version.

    x := 1 // want pattern=returned-address call=newobject
    y := 2 // want pattern=append-growth agreement=allocates-silently since=1.25 // want none until=1.25

One line may hold several wants. Words:

| word | demands |
|---|---|
| `pattern=SLUG` | a finding of this pattern; all patterns of the line are named, no others may be found |
| `agreement=WORD` | one of the findings carries this agreement |
| `callee=FUNCTION` | the finding's bytes come from a call to this function |
| `call=NAME` | machine code calls an allocator whose name, without `runtime.`, begins so; `call=none`: calls none |
| `none` | nothing is found here |
| `since=1.N`, `until=1.N` | the want holds from this Go version on, or before that one |
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from whyheap.errors import UsageError
from whyheap.model.evidence import Agreement

_WANT = re.compile(r"// want (.+?)(?= // want|$)")
_VERSION = re.compile(r"^(?:go)?(\d+)\.(\d+)")
_BOUNDS = ("since", "until")
_AGREEMENTS = frozenset(Agreement)


@dataclass(slots=True)
class Want:
    """What one line's comments demand of one Go version; `patterns` is empty for `want none`."""

    patterns: set[str] = field(default_factory=set)
    agreement: str = ""
    callee: str = ""
    calls: set[str] = field(default_factory=set)

    def demand(self, key: str, value: str, where: str) -> None:
        """Take one word of a comment. Raises UsageError for a word that is none."""
        if key == "pattern" and value:
            self.patterns.add(value)
        elif key == "agreement" and value in _AGREEMENTS:
            self.agreement = value
        elif key == "callee" and value:
            self.callee = value
        elif key == "call" and value:
            self.calls.add(value)
        elif key not in {"none", *_BOUNDS}:
            word = f"{key}={value}" if value else key
            raise UsageError(
                f"{where}: {word} is no word of a want comment",
                "Words: pattern=, agreement=, callee=, call=, none, since=, until=",
            )


def wants(text: str, go: tuple[int, int]) -> dict[int, Want]:
    """Return the wants by line that hold for a Go version; a line whose wants hold for others only demands nothing.

    Raises UsageError for a comment that is not understood.
    """
    found: dict[int, Want] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for comment in _WANT.findall(line):
            want = found.setdefault(number, Want())
            words = [word.partition("=") for word in comment.split()]
            bounds = {key: version(value) for key, _, value in words if key in _BOUNDS}
            holds = bounds.get("since", go) <= go and not ("until" in bounds and go >= bounds["until"])
            for key, _, value in words:
                (want if holds else Want()).demand(key, value, f"line {number}")
    return found


def version(text: str) -> tuple[int, int]:
    """Return "1.27.3", "1.27" or "go1.27.3" as (1, 27). Raises UsageError for what is no version."""
    found = _VERSION.match(text)
    if found is None:
        raise UsageError(f"{text!r} is no Go version", "Write 1.27 or 1.27.3")
    return int(found[1]), int(found[2])
