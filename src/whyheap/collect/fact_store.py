"""Facts of packages by build ID, on disk, so that a second scan reads only what changed.

A package's folder holds two files per build: `.jsonl`, all facts in the contract's shape, and `.facts`, those that
the join needs, as MessagePack. Equal build IDs mean equal inputs, flags and compiler (cmd/go/internal/work/buildid.go),
so an entry never goes stale; the oldest builds of a package are dropped.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec

from whyheap.model.facts import CompilerFact, FactKind

FORMAT = 4  # raise when the facts of an unchanged package would come out differently
_BUILDS_KEPT = 4
_JOINED = frozenset({FactKind.HEAP, FactKind.STACK, FactKind.PARAM_LEAK})
_HIDDEN_CLOSURE = "func literal escapes to heap"
_ENCODER = msgspec.msgpack.Encoder()


@dataclass(frozen=True, slots=True)
class StoredPackage:
    """What is kept of one build of a package."""

    facts: tuple[CompilerFact, ...]
    unknown: int


_DECODER = msgspec.msgpack.Decoder(StoredPackage)


class FactStore:
    """The facts below one folder."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made when the first entry is saved."""
        self._folder = folder

    def _stem(self, package: str, build_id: str) -> Path:
        name = hashlib.blake2b(f"{FORMAT} {build_id}".encode(), digest_size=12).hexdigest()
        folder = quote(package, safe="")
        if len(folder) > 200:  # noqa: PLR2004 - file systems stop at 255 bytes a name
            folder = hashlib.blake2b(package.encode(), digest_size=20).hexdigest()
        return self._folder / folder / name

    def has(self, package: str, build_id: str) -> bool:
        """Whether this build is known; `.facts` is written last, so it stands for both files."""
        return self._stem(package, build_id).with_suffix(".facts").is_file()

    def lines_file(self, package: str, build_id: str) -> Path:
        """Return the file with all facts as JSON lines."""
        return self._stem(package, build_id).with_suffix(".jsonl")

    def load(self, package: str, build_id: str) -> StoredPackage | None:
        """Return what is kept, None when it is missing or damaged."""
        try:
            return _DECODER.decode(self._stem(package, build_id).with_suffix(".facts").read_bytes())
        except (OSError, msgspec.DecodeError):
            return None

    def save(
        self, package: str, build_id: str, facts: Iterable[CompilerFact], lines: bytes, unknown: int
    ) -> StoredPackage:
        """Keep one build, and drop the package's oldest ones."""
        stored = StoredPackage(tuple(fact for fact in facts if _is_joined(fact)), unknown)
        stem = self._stem(package, build_id)
        stem.parent.mkdir(parents=True, exist_ok=True)
        self._drop_old(stem.parent)
        for suffix, data in ((".jsonl", lines), (".facts", _ENCODER.encode(stored))):
            partial = stem.with_suffix(f".tmp{os.getpid()}")
            partial.write_bytes(data)
            partial.replace(stem.with_suffix(suffix))
        return stored

    @staticmethod
    def _drop_old(folder: Path) -> None:
        builds = sorted(folder.glob("*.facts"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        for old in builds[_BUILDS_KEPT - 1 :]:
            old.unlink(missing_ok=True)
            old.with_suffix(".jsonl").unlink(missing_ok=True)


def _is_joined(fact: CompilerFact) -> bool:
    """Whether the join needs a fact; an explanation without a verdict is that of `go f(x)`'s hidden closure."""
    return fact.kind in _JOINED or (fact.kind is FactKind.OTHER and fact.message.startswith(_HIDDEN_CLOSURE))
