"""Facts of packages by build ID, on disk, so that a second scan reads only what changed.

A package's folder holds one file per build: the lengths of its two parts, the facts that the join needs as MessagePack,
and all facts in the contract's shape as JSON lines. A file that is not as long as it says is no file. Equal build IDs
mean equal inputs, flags and compiler (cmd/go/internal/work/buildid.go), so an entry never goes stale; builds that were
not used for the longest time are dropped.
"""

from __future__ import annotations

import hashlib
import os
import struct
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec

from whyheap.model.facts import CompilerFact, FactKind

FORMAT = 7  # raise when the facts of an unchanged package would come out differently
_BUILDS_KEPT = 4
_USED_SECONDS = 60.0  # how exactly it is known when a build was used last
_JOINED = frozenset({FactKind.HEAP, FactKind.STACK, FactKind.PARAM_LEAK})
_HIDDEN_CLOSURE = "func literal escapes to heap"
_LEAK = "parameter "  # "parameter p leaks to {heap} for F": the explanation of a leak that has no verdict of its own
_LENGTHS = struct.Struct("<QQ")
_ENCODER = msgspec.msgpack.Encoder()


@dataclass(frozen=True, slots=True)
class StoredPackage:
    """What is kept of one build of a package."""

    facts: tuple[CompilerFact, ...]
    unknown: int


_DECODER = msgspec.msgpack.Decoder(StoredPackage)


class FactStore:
    """The facts below one folder, and those that are only held for the answer at hand."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made when the first entry is saved."""
        self._folder = folder
        self._held: dict[tuple[str, str], tuple[StoredPackage, bytes]] = {}

    def has(self, package: str, build_id: str) -> bool:
        """Whether this build is known, whole; it counts as used now."""
        if (package, build_id) in self._held:
            return True
        file = self._file(package, build_id)
        try:
            handle = os.open(file, os.O_RDONLY)
        except OSError:
            return False
        try:
            status = os.fstat(handle)
            start = os.read(handle, _LENGTHS.size)
        finally:
            os.close(handle)
        if len(start) < _LENGTHS.size or status.st_size != _LENGTHS.size + sum(_LENGTHS.unpack(start)):
            return False
        if abs(time.time() - status.st_mtime) > _USED_SECONDS:
            with suppress(OSError):  # a cache that can only be read serves as well
                os.utime(file)
        return True

    def load(self, package: str, build_id: str) -> StoredPackage | None:
        """Return what the join needs, None when it is missing or damaged."""
        held = self._held.get((package, build_id))
        if held is not None:
            return held[0]
        file = self._file(package, build_id)
        try:
            with file.open("rb") as handle:
                length, _ = _LENGTHS.unpack(handle.read(_LENGTHS.size))
                return _DECODER.decode(handle.read(length))
        except OSError:
            return None
        except (struct.error, msgspec.DecodeError):
            with suppress(OSError):
                file.unlink()  # so that it is made anew
            return None

    def lines(self, package: str, build_id: str) -> bytes | None:
        """Return all facts as JSON lines, None when they are missing or damaged."""
        held = self._held.get((package, build_id))
        if held is not None:
            return held[1]
        try:
            with self._file(package, build_id).open("rb") as handle:
                length, rest = _LENGTHS.unpack(handle.read(_LENGTHS.size))
                handle.seek(length, os.SEEK_CUR)
                lines = handle.read()
        except (OSError, struct.error):
            return None
        return lines if len(lines) == rest else None

    def save(self, package: str, build_id: str, facts: Iterable[CompilerFact], lines: bytes, unknown: int) -> None:
        """Keep one build, and drop the package's builds that were not used for the longest time."""
        joined = _ENCODER.encode(_stored(facts, unknown))
        file = self._file(package, build_id)
        file.parent.mkdir(parents=True, exist_ok=True)
        self._drop_old(file.parent)
        partial = file.with_suffix(f".tmp{os.getpid()}")
        partial.write_bytes(b"".join((_LENGTHS.pack(len(joined), len(lines)), joined, lines)))
        partial.replace(file)

    def hold(self, package: str, build_id: str, facts: Iterable[CompilerFact], lines: bytes, unknown: int) -> None:
        """Have one build for this answer only: it may be of other source than its build ID says."""
        self._held[package, build_id] = (_stored(facts, unknown), lines)

    def held_digest(self, package: str, build_id: str) -> str:
        """Return what tells held facts from others of the same build ID, empty when they are on disk."""
        held = self._held.get((package, build_id))
        return hashlib.blake2b(held[1], digest_size=16).hexdigest() if held is not None else ""

    def _file(self, package: str, build_id: str) -> Path:
        name = hashlib.blake2b(f"{FORMAT} {build_id}".encode(), digest_size=12).hexdigest()
        folder = quote(package, safe="")
        if len(folder) > 200:  # noqa: PLR2004 - file systems stop at 255 bytes a name
            folder = hashlib.blake2b(package.encode(), digest_size=20).hexdigest()
        return self._folder / folder / f"{name}.facts"

    @staticmethod
    def _drop_old(folder: Path) -> None:
        builds = sorted(folder.glob("*.facts"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        for old in builds[_BUILDS_KEPT - 1 :]:
            old.unlink(missing_ok=True)


def _stored(facts: Iterable[CompilerFact], unknown: int) -> StoredPackage:
    return StoredPackage(tuple(fact for fact in facts if _is_joined(fact)), unknown)


def _is_joined(fact: CompilerFact) -> bool:
    """Whether the join needs a fact; an explanation without a verdict is that of `go f(x)`'s hidden closure."""
    return fact.kind in _JOINED or (fact.kind is FactKind.OTHER and fact.message.startswith((_HIDDEN_CLOSURE, _LEAK)))
