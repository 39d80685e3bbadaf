"""How an executable was built, as `go version -m FILE` prints it: "build" lines such as GOARCH and -buildmode.

cmd/link/internal/ld/data.go (buildinfo) writes two strings behind the magic, Go's version and the module's lines;
the latter stand between two marks of 16 bytes (cmd/go/internal/modload/build.go). -trimpath leaves them in place.
"""

from __future__ import annotations

import re
from typing import Final

from whyheap.parse.machine_code.elf_image import ElfImage

_MAGIC: Final = b"\xff Go buildinf:"
_FLAGS_AT, _INLINE_STRINGS, _STRINGS_AT = 15, 2, 32
_VERSION: Final = re.compile(r"(.*?)(?:[ -]X:(.*))?")
_MARK_BYTES: Final = 16
_SEARCHED_BYTES: Final = 1 << 20
_MOST_BYTES: Final = 1 << 20
_MOST_SETTINGS: Final = 200
_LONGEST_VARINT: Final = 5


def split_version(text: str) -> tuple[str, str]:
    """Split what `go version FILE` prints into release and experiments: ("go1.27.3", "nogreenteagc").

    Seen as "go1.24.11 X:synctest" (cmd/link/internal/ld/main.go, 1.22 to 1.25) and "go1.27.3-X:nogreenteagc" (1.27).
    """
    found = _VERSION.fullmatch(text)
    return (found[1], found[2] or "") if found else (text, "")


def build_settings(image: ElfImage) -> dict[str, str]:
    """Return the build settings by name: {"-buildmode": "exe", "GOARCH": "amd64", ...}; empty when it does not say."""
    section = image.sections.get(".go.buildinfo")
    regions = [section] if section else [region for region in image.loads if not region.executable]
    for region in regions:
        stop = min(region.offset + _SEARCHED_BYTES, region.offset + region.size_bytes)
        blob = bytes(image.data[region.offset : stop])
        at = blob.find(_MAGIC)
        if at >= 0 and len(blob) > at + _STRINGS_AT and blob[at + _FLAGS_AT] & _INLINE_STRINGS:
            blob = bytes(image.data[region.offset + at : region.offset + at + _SEARCHED_BYTES])
            _, behind = _string(blob, _STRINGS_AT)
            lines, _ = _string(blob, behind)
            return _parsed(lines[_MARK_BYTES:-_MARK_BYTES])
    return {}


def _string(blob: bytes, at: int) -> tuple[bytes, int]:
    """Return a string with its length as a varint before it, and where the next one starts."""
    size = 0
    for place, position in enumerate(range(at, min(at + _LONGEST_VARINT, len(blob)))):
        size |= (blob[position] & 0x7F) << 7 * place
        if blob[position] < 1 << 7:
            start = position + 1
            return (blob[start : start + size] if size <= _MOST_BYTES else b""), start + size
    return b"", len(blob)


def _parsed(lines: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines.decode("utf-8", "replace").splitlines():
        kind, _, rest = line.partition("\t")
        name, equals, value = rest.partition("=")
        if kind == "build" and equals and len(found) < _MOST_SETTINGS:
            found[name.strip('"')] = value.strip('"`')
    return found
