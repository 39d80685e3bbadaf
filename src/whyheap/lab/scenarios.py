"""Programs that run out of memory for a known cause, and healthy ones: where they stand, and what they are run with.

A scenario is a folder `causes/<slug>/scenario/<variant>` with a `main.go` that prints one line when it is ready: its
pprof address, or "ready". Directives between its header comment and `package main` say how it is run:

    //lab:limit 128MiB            the memory group's limit
    //lab:env GOMEMLIMIT=120MiB   one more variable
    //lab:args -rate 200          its arguments
    //lab:seconds 15              longest time; shorter when it dies
    //lab:rlimit as=2GiB          a limit of the process instead: as, data, stack (sizes), nproc (a count)
    //lab:or live-heap-growth     accepted as the first cause as well
    //lab:second gc-headroom      may be named after it
    //lab:neighbour -grow 80MiB   the same program once more in the same group, with these arguments
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from whyheap import causes
from whyheap.errors import UsageError
from whyheap.units import parse_bytes

CAUSES = Path(causes.__file__).parent
DEFAULT_SECONDS = 20.0
_DIRECTIVE = re.compile(r"^//lab:(\w+)[ \t]+(.+?)[ \t]*$", re.MULTILINE)
_KNOWN = frozenset({"limit", "env", "args", "seconds", "rlimit", "or", "second", "neighbour"})
_COUNTS = frozenset({"nproc"})
_SIZES = frozenset({"as", "data", "stack"})


@dataclass(frozen=True, slots=True)
class Scenario:
    """One program and its conditions. `cause` is the slug that must come first, "" for a healthy program.

    `limit_bytes` is None where it runs without a memory group; `rlimits` are by prlimit's names.
    """

    cause: str
    variant: str
    folder: Path
    limit_bytes: int | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    seconds: float = DEFAULT_SECONDS
    rlimits: Mapping[str, int] = field(default_factory=dict)
    accepted: tuple[str, ...] = ()
    followers: tuple[str, ...] = ()
    neighbour: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """Cause and variant, as the lab prints and records them."""
        return f"{self.cause or 'healthy'}/{self.variant}"


def scenarios(slugs: Sequence[str] = (), healthy: Path | None = None) -> Iterator[Scenario]:
    """Yield the scenarios of these causes or `cause/variant`s (all when none is named), then those of `healthy`."""
    for folder in sorted(CAUSES.glob("*/scenario/*")):
        slug = folder.parent.parent.name.replace("_", "-")
        if (folder / "main.go").is_file() and (not slugs or slug in slugs or f"{slug}/{folder.name}" in slugs):
            yield read_scenario(folder, slug)
    if healthy is not None and (not slugs or "healthy" in slugs):
        for folder in sorted(healthy.iterdir()):
            if (folder / "main.go").is_file():
                yield read_scenario(folder, "")


def read_scenario(folder: Path, cause: str) -> Scenario:
    """Read the directives of one program. Raises UsageError, with file and line, for one that makes no sense."""
    file = folder / "main.go"
    head = file.read_text(encoding="utf-8").partition("\npackage ")[0]
    said: dict[str, list[str]] = {}
    for match in _DIRECTIVE.finditer(head + "\n"):
        name, value = match.groups()
        if name not in _KNOWN:
            line = head[: match.start()].count("\n") + 1
            raise UsageError(
                f"{file}:{line}: there is no directive lab:{name}", f"Known are {', '.join(sorted(_KNOWN))}"
            )
        said.setdefault(name, []).append(value)
    env = dict(entry.partition("=")[::2] for entry in said.get("env", ()))
    return Scenario(
        cause,
        folder.name,
        folder,
        parse_bytes(said["limit"][-1]) if "limit" in said else None,
        env,
        tuple(" ".join(said.get("args", ())).split()),
        float(said["seconds"][-1]) if "seconds" in said else DEFAULT_SECONDS,
        dict(_rlimit(file, text) for text in said.get("rlimit", ())),
        tuple(said.get("or", ())),
        tuple(said.get("second", ())),
        tuple(said["neighbour"][-1].split()) if "neighbour" in said else None,
    )


def _rlimit(file: Path, text: str) -> tuple[str, int]:
    name, _, value = text.partition("=")
    if name in _SIZES:
        return name, parse_bytes(value)
    if name in _COUNTS and value.isdecimal():
        return name, int(value)
    raise UsageError(f"{file}: lab:rlimit {text!r} is none of as, data, stack (sizes) and nproc (a count)")
