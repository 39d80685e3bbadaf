"""The ar format of Go's package archives: members, and the text in front of each Go object.

Go writes it as cmd/internal/archive/archive.go (1.22 to 1.27) says: no long names, no symbol table.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.errors import FormatError

EXPORT_DATA = "__.PKGDEF"
"""The member with the export data: what the compiler reads of an imported package."""

_ARCHIVE = b"!<arch>\n"
_MEMBER_HEADER = 60
_MEMBER_MARK = b"`\n"
_OBJECT = b"go object "
_END_OF_TEXT = b"\n!\n"
_FIRST_LINE = 4096


def members(data: memoryview) -> Iterator[tuple[str, memoryview]]:
    """Yield name and content of each member."""
    if data[: len(_ARCHIVE)] != _ARCHIVE:
        raise FormatError("it is no archive of a Go package")
    at = len(_ARCHIVE)
    while at < len(data):
        header = bytes(data[at : at + _MEMBER_HEADER])
        digits = header[48:58].rstrip(b" ")
        if len(header) < _MEMBER_HEADER or header[58:] != _MEMBER_MARK or not digits.isdigit():
            raise FormatError("it is cut off or damaged")
        at += _MEMBER_HEADER
        size = int(digits)
        if at + size > len(data):
            raise FormatError("it is cut off")
        yield header[:16].rstrip(b" ").decode("utf-8", "replace"), data[at : at + size]
        at += size + (size & 1)


def is_go_object(content: memoryview) -> bool:
    """Tell whether a member is a Go object; cgo adds those of C compilers."""
    return content[: len(_OBJECT)] == _OBJECT


def text_header(content: memoryview) -> tuple[str, str, int]:
    """Return architecture, Go version and where the object begins: "go object linux amd64 go1.27.3 GOAMD64=v1 ..."."""
    end = _find(content, _END_OF_TEXT)
    if end < 0:
        raise FormatError("it has an object without a header")
    start = end + len(_END_OF_TEXT)
    words = bytes(content[: min(end, _FIRST_LINE)]).split(b"\n", 1)[0].decode("utf-8", "replace").split()
    arch = words[3] if len(words) > 3 else ""  # noqa: PLR2004
    version = next((word for word in words[4:] if word.startswith("go1")), "")
    return arch, version, start


def _find(content: memoryview, wanted: bytes) -> int:
    """Find bytes in a view, which has no find of its own, piece by piece."""
    step = 1 << 16
    for at in range(0, len(content), step):
        found = bytes(content[at : at + step + len(wanted)]).find(wanted)
        if found >= 0:
            return at + found
    return -1
