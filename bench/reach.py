"""How far a profile can be tied to a program's own code: the bound that a join cannot exceed.

Read through `go tool pprof -raw`, not through whyheap's own decoder: a measurement must not share its subject's faults.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_SAMPLE = re.compile(r"^ *(-?\d+) +(-?\d+) +(-?\d+) +(-?\d+): ([\d ]*)$")
_LOCATION = re.compile(r"^ *(?:(\d+): 0x[0-9a-f]+ (?:M=\d+ )?)?(?:(\S.*) (\S+):(\d+):\d+ s=-?\d+(?:\(.*\))?)?$")


@dataclass(frozen=True, slots=True)
class Frame:
    """A call on a stack; `function` is the linker's symbol."""

    function: str
    file: str
    line: int

    def __str__(self) -> str:
        """Print the function without its import path's folders, and the file's name."""
        return f"{self.function.rsplit('/', 1)[-1]} {self.file.rsplit('/', 1)[-1]}:{self.line}"


Stack = tuple[Frame, ...]
"""Leaf first, inline frames included."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Bytes allocated in all, on stacks with a frame of the program's own code, and with such a frame as the leaf.

    `foreign` are the stacks without any, the biggest first.
    """

    bytes: int
    own_bytes: int
    own_leaf_bytes: int
    samples: int
    foreign: tuple[tuple[int, Stack], ...]

    @property
    def share(self) -> float:
        """Share of bytes that a line of the program's own code can carry at all."""
        return self.own_bytes / self.bytes if self.bytes else 0.0


def measure_reach(go: str, before: Path, after: Path, owns: Callable[[str], bool]) -> Reach:
    """Compare two heap profiles by what was allocated between them; `owns` tells the program's own symbols."""
    total = own = own_leaf = samples = 0
    foreign = []
    for stack, alloc_bytes in allocated_between(go, before, after).items():
        total += alloc_bytes
        samples += alloc_bytes > 0
        if any(owns(frame.function) for frame in stack):
            own += alloc_bytes
            own_leaf += alloc_bytes if owns(stack[0].function) else 0
        elif alloc_bytes > 0:
            foreign.append((alloc_bytes, stack))
    return Reach(total, own, own_leaf, samples, tuple(sorted(foreign, key=lambda one: -one[0])))


def allocated_between(go: str, before: Path, after: Path) -> dict[Stack, int]:
    """Return the bytes allocated per stack between two heap profiles of one process."""
    command = [go, "tool", "pprof", "-raw", f"-base={before}", str(after)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"go tool pprof failed: {done.stderr.strip()}")
    head, _, rest = done.stdout.partition("\nLocations\n")
    locations = dict(_locations(rest.partition("\nMappings\n")[0].splitlines()))
    stacks: dict[Stack, int] = defaultdict(int)
    for alloc_bytes, ids in _samples(head.splitlines()):
        stacks[tuple(frame for one in ids for frame in locations[one])] += alloc_bytes
    return {stack: alloc_bytes for stack, alloc_bytes in stacks.items() if stack}


def _samples(lines: Iterable[str]) -> Iterator[tuple[int, list[int]]]:
    """Yield alloc_space and the location numbers, leaf first; label lines between them are passed over."""
    for line in lines:
        found = _SAMPLE.match(line)
        if found:
            yield int(found[2]), [int(one) for one in found[5].split()]


def _locations(lines: Sequence[str]) -> Iterator[tuple[int, list[Frame]]]:
    """Yield each location's frames, innermost first; those that it is inlined into follow on lines of their own."""
    number, frames = 0, list[Frame]()
    for line in lines:
        found = _LOCATION.match(line)
        if found is None:
            sys.exit(f"go tool pprof -raw printed a location that was not understood: {line}")
        if found[1]:
            if number:
                yield number, frames
            number, frames = int(found[1]), []
        if found[2]:
            frames.append(Frame(found[2], found[3], int(found[4])))
    if number:
        yield number, frames
