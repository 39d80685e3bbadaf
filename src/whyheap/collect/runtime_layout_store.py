"""Where the layout of a program's runtime comes from: our cache, its own debug information, or the Go that built it.

Kept per build of a program and per Go release (layouts/ in our cache); what is there never goes stale, as its name
holds all that it follows from. What was not used for the longest time is dropped.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final, TypeVar, cast

import msgspec

from whyheap.collect.release_layout import ReleaseLayout, build_release
from whyheap.errors import FormatError, ToolError
from whyheap.goruntime.runtime_layout import NEEDED, TYPES, VARIABLES
from whyheap.host.cache import locked, private_folder
from whyheap.model.gauge import Gap
from whyheap.parse.machine_code.build_marks import build_ids, go_version
from whyheap.parse.machine_code.build_settings import build_settings, split_version
from whyheap.parse.machine_code.program import Program
from whyheap.parse.machine_code.symbol_table import symbol_addresses
from whyheap.parse.machine_code.wait_reasons import read_wait_reasons
from whyheap.parse.struct_layout import StructLayout

FORMAT: Final = 2  # raise when an unchanged program would be told differently
PLACE: Final = "layouts"
_KEPT: Final = 64
_EDGE_BYTES: Final = 1 << 16
DEBUG_SECTIONS: Final = frozenset({".debug_info", ".zdebug_info"})
_LAYOUT_SETTINGS: Final = ("-buildmode", "-gcflags", "GOAMD64", "GOARM64", "GOFIPS140", "GOEXPERIMENT")
Found = tuple[StructLayout, tuple[Gap, ...]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Found:
    """What is kept of one program."""

    layout: StructLayout
    gaps: tuple[Gap, ...]


def find_layout(program: Program, data: mmap.mmap, announce: Callable[[str], None] | None = None) -> Found:
    """Return the layout of a program's runtime with the addresses of its variables, and what is uncertain about it.

    Raises `TargetError`, with the way out, when the program is stripped and its Go cannot be had.
    """
    name = f"program-{_digest(program, data)}"
    found = _load(name, _Found)
    if found is None:
        found = _Found(*_read(program, data, announce))
        if _has_needed(found.layout) and not found.gaps:  # what is uncertain may be known better tomorrow
            _save(name, found)
    return found.layout, found.gaps


def kept_file(program: Program, data: mmap.mmap) -> Path:
    """Return where the layout of a program is kept, once it was found."""
    return _file(f"program-{_digest(program, data)}")


def _read(program: Program, data: mmap.mmap, announce: Callable[[str], None] | None) -> Found:
    if DEBUG_SECTIONS & set(program.image.sections):
        from whyheap.parse.dwarf_layout import read_layout  # noqa: PLC0415 - what is kept needs no decoding

        with suppress(FormatError):
            layout = read_layout(cast("IO[bytes]", data), TYPES, VARIABLES)
            if _has_needed(layout):
                return replace(layout, wait_reasons=read_wait_reasons(program.image, layout)), ()
    go, experiments = split_version(go_version(program.image))
    release = find_release(go, program.image.arch, experiments, build_settings(program.image), announce)
    addresses = symbol_addresses(program.image, VARIABLES) or _voted(program, release)
    variables = {name: one._replace(address=addresses.get(name, 0)) for name, one in release.layout.variables.items()}
    gaps: tuple[Gap, ...] = ()
    if release.go != go.removeprefix("go"):
        gaps = (
            Gap(
                "census",
                f"the program is stripped and {go} is not here: the runtime's layout is that of Go {release.go}",
                f"Install Go {go.removeprefix('go')}, or build the program without -ldflags=-s -w",
            ),
        )
    return replace(release.layout, variables=variables), gaps


def _voted(program: Program, release: ReleaseLayout) -> dict[str, int]:
    from whyheap.parse.machine_code.variable_votes import vote  # noqa: PLC0415 - stripped programs only

    return {name: one.address for name, one in vote(program, release.references).items()}


def find_release(
    go: str,
    arch: str,
    experiments: str,
    settings: Mapping[str, str],
    announce: Callable[[str], None] | None = None,
) -> ReleaseLayout:
    """Return the runtime of a Go release for a platform, built once and kept. Raises as `build_release` does."""
    words = "\0".join((go, arch, experiments, *(settings.get(name, "") for name in _LAYOUT_SETTINGS)))
    name = f"release-{hashlib.blake2b(words.encode(), digest_size=12).hexdigest()}"
    found = _load(name, ReleaseLayout)
    if found is not None:
        return found
    with locked(PLACE):  # a second census of the same Go waits instead of building too
        found = _load(name, ReleaseLayout) or build_release(go, arch, experiments, settings, announce)
        if found.go == go.removeprefix("go") and _has_needed(found.layout):  # a stand-in is not kept
            _save(name, found)
    return found


def _has_needed(layout: StructLayout) -> bool:
    return all(name in layout.variables and layout.variables[name].address for name in NEEDED)


def _digest(program: Program, data: mmap.mmap) -> str:
    """Tell this build from all others: build ids may be empty or a constant, so size and edges count too."""
    words = (*build_ids(program.image), str(len(data)), str(program.module), str(len(program.table)))
    digest = hashlib.blake2b("\0".join(words).encode(), digest_size=16)
    digest.update(data[:_EDGE_BYTES])
    digest.update(data[-_EDGE_BYTES:])
    digest.update(program.table.entries.tobytes())
    return digest.hexdigest()


def _file(name: str) -> Path:
    asked = hashlib.blake2b(repr((FORMAT, TYPES, VARIABLES)).encode(), digest_size=4).hexdigest()
    return private_folder(PLACE) / f"{name}.{asked}.msgpack"


def _load(name: str, kind: type[T]) -> T | None:
    try:
        file = _file(name)
        found = msgspec.msgpack.decode(file.read_bytes(), type=kind)
        os.utime(file)
    except (OSError, ToolError, msgspec.DecodeError):
        return None
    return found


def _save(name: str, content: object) -> None:
    """Keep it; a cache that cannot be written is no reason to fail."""
    with suppress(OSError, ToolError):
        file = _file(name)
        _drop_old(file.parent)
        partial = file.with_suffix(f".tmp{os.getpid()}")
        try:
            partial.write_bytes(msgspec.msgpack.encode(content))
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)


def _drop_old(folder: Path) -> None:
    files = []
    for file in folder.glob("*.msgpack"):
        with suppress(OSError):
            files.append((file.stat().st_mtime_ns, file))
    for _, old in sorted(files, reverse=True)[_KEPT - 1 :]:
        with suppress(OSError):
            old.unlink()
