"""What an executable says about its build: Go's version and the build ids."""

from __future__ import annotations

from whyheap.parse.machine_code.elf_image import ElfImage

_MAGIC = b"\xff Go buildinf:"
_ALIGNMENT = 16
_FLAGS_AT = 15
_INLINE_STRINGS = 2
_STRINGS_AT = 32
_LONGEST_VERSION = 256
_GO_BUILD_ID = (b"Go", 4)  # cmd/internal/buildid/note.go
_GNU_BUILD_ID = (b"GNU", 3)
_SEARCHED_BYTES = 1 << 20


def go_version(image: ElfImage) -> str:
    """Return "go1.27.3", with " X:..." behind it where experiments are on; empty when it does not say.

    The blob is written by cmd/link/internal/ld/data.go (buildinfo) and read by debug/buildinfo/buildinfo.go; since
    1.18 the version stands in it as a string.
    """
    section = image.sections.get(".go.buildinfo")
    regions = [section] if section else [region for region in image.loads if not region.executable]
    for region in regions:
        blob = bytes(image.data[region.offset : region.offset + min(region.size_bytes, _SEARCHED_BYTES)])
        at = blob.find(_MAGIC)
        if at >= 0 and at % _ALIGNMENT == 0 and len(blob) > at + _STRINGS_AT and blob[at + _FLAGS_AT] & _INLINE_STRINGS:
            return _string(blob, at + _STRINGS_AT)
    return ""


def _string(blob: bytes, at: int) -> str:
    size = shift = 0
    for position in range(at, min(at + 5, len(blob))):
        size |= (blob[position] & 0x7F) << shift
        shift += 7
        if blob[position] < 1 << 7:
            text = blob[position + 1 : position + 1 + size] if size <= _LONGEST_VERSION else b""
            return text.decode("utf-8", "replace") if text.startswith((b"go", b"devel")) else ""
    return ""


def build_ids(image: ElfImage) -> tuple[str, str]:
    """Return the Go build id and the GNU build id (hexadecimal), each empty when it has none."""
    go = gnu = ""
    for owner, kind, body in image.notes():
        if (owner, kind) == _GO_BUILD_ID:
            go = body.decode("ascii", "replace")
        elif (owner, kind) == _GNU_BUILD_ID:
            gnu = body.hex()
    return go, gnu
