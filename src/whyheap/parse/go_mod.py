"""What is needed of go.mod and go.work (go.dev/ref/mod): a module's path, and the folders that a workspace uses."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MODULE = re.compile(r'^module\s+(?:"([^"]+)"|`([^`]+)`|([^\s(]+))', re.MULTILINE)
_COMMENT = re.compile(r"//[^\n]*")
_REPLACED = re.compile(r"=>[ \t]+(\S+)[ \t]*$", re.MULTILINE)
_USE = re.compile(r"^use\s*(?:\(([^)]*)\)|([^\n(]+))", re.MULTILINE)


def module_path(text: str) -> str:
    """Return the module's path, empty if the file does not say."""
    found = _MODULE.search(text)
    return (found[1] or found[2] or found[3]) if found else ""


def used_folders(text: str) -> Iterator[str]:
    """Yield the folders of go.work's modules, as written there."""
    for block in _USE.finditer(_COMMENT.sub("", text)):
        for line in (block[1] or block[2]).splitlines():
            if line.strip():
                yield line.strip().strip('"`')


def replaced_folders(text: str) -> Iterator[str]:
    """Yield the folders that go.mod or go.work put in place of modules, as written there: `replace a => ../b`."""
    for found in _REPLACED.finditer(_COMMENT.sub("", text)):
        target = found[1].strip('"`')
        if target.startswith(("./", "../", "/")) or target in {".", ".."}:
            yield target
