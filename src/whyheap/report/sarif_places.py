"""Places as SARIF names them: relative URIs, one-line regions in characters."""

from __future__ import annotations

import posixpath
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from whyheap.goruntime.standard_library import STANDARD_ROOTS
from whyheap.report.problems import is_outside, module_place

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]
ROOT: Final = "%SRCROOT%"
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/!$&'()*+,;=@")
_MOST_INT: Final = 2**31 - 1


@lru_cache(maxsize=4096)
def uri_of(path: str) -> str:
    """Return a path as a relative URI reference (RFC 3986, 4.2), an absolute one as file: URI."""
    raw = path.encode("utf-8", "replace") if not _is_undecoded(path) else path.encode("utf-8", "surrogateescape")
    quoted = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in raw)
    return f"file:///{quoted.lstrip('/')}" if quoted.startswith("/") else quoted


class Places:
    """Makes locations. `sources` are the texts of files, where known, as the sites name them."""

    def __init__(self, sources: Mapping[str, str], in_repository: str) -> None:
        """Files of the main module are put below `in_repository`."""
        self._sources = sources
        self._in_repository = in_repository
        self._lines: dict[str, list[str]] = {}

    def of_site(self, file: str, package: str, line: int, column: int, text: str) -> Json | None:
        """Return the physicalLocation of a position that `text` stands at; None for code in no file."""
        own = package.partition("/")[0] in STANDARD_ROOTS or file.partition("/")[0] not in STANDARD_ROOTS
        package = package if own else posixpath.dirname(file)  # a step into Go's own code
        place = module_place(file, package, self._in_repository)
        return self.at(place, file, line, column, text, outside=is_outside(file, package)) if place else None

    def at(self, place: str, file: str, line: int, column: int, text: str, *, outside: bool) -> Json:
        """Return the physicalLocation at `place`, a name from the repository's root of what the site calls `file`."""
        artifact: Json = {"uri": uri_of(place)}
        if not outside:
            artifact["uriBaseId"] = ROOT
        return {"artifactLocation": artifact, "region": self._region(file, line, column, text)}

    def _region(self, file: str, line: int, column: int, text: str) -> Json:
        """Return a region of one line. Columns are Go's bytes, turned into characters where the source is known."""
        number = min(max(line, 1), _MOST_INT)
        region = {"startLine": number, "endLine": number}
        if not 1 <= column < _MOST_INT:
            return region
        start, end = column, column + 1
        source = self._line(file, number)
        if source is not None:
            before = source.encode("utf-8", "surrogatepass")[: column - 1].decode("utf-8", "ignore")
            start = len(before) + 1
            end = start + (len(text) if text and source.startswith(text, len(before)) else 1)
        return region | {"startColumn": start, "endColumn": end}

    def _line(self, file: str, line: int) -> str | None:
        if file not in self._lines:
            self._lines[file] = self._sources.get(file, "").split("\n")
        lines = self._lines[file]
        return lines[line - 1] if line <= len(lines) and file in self._sources else None


def _is_undecoded(text: str) -> bool:
    """Whether a name holds bytes that are no UTF-8 (PEP 383), and nothing worse."""
    odd = [char for char in text if "\ud800" <= char <= "\udfff"]
    return bool(odd) and all(char >= "\udc80" for char in odd)
