"""Takes hosts and folders of machines out of a report, so that it can be handed on."""

from __future__ import annotations

import operator
import re
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from whyheap.model.profile import HeapProfile
from whyheap.model.report import FlameNode, Report

_URL_HOST = re.compile(r"(https?://)[^/\s\"']+")
_PATH = re.compile(r"(?<![\w.@/…*)\]])(?:[A-Za-z]:)?/(?:[^/\s:;,\"'()]+/)+[^/\s:;,\"'()]*")
_HOMES = ({"home", "Users"}, {"root"})
_HOST = "redacted"
_LEFT = 2
T = TypeVar("T")


def redacted(report: Report) -> Report:
    """Return the report with hosts replaced and absolute paths cut to their last two elements.

    Source text stays as it is. Two files never get the same name, so that their lines are not mixed.
    """
    cleaner = _Cleaner(report)
    changed: dict[str, Any] = {
        field.name: cleaner.clean(getattr(report, field.name))
        for field in fields(report)
        if field.name not in {"flame", "sources"}
    }
    sources = {cleaner.file(file): text for file, text in report.sources.items()}
    return Report(**changed, sources=sources, flame=_flame(report.flame, cleaner) if report.flame else None)


def redacted_profile(profile: HeapProfile) -> HeapProfile:
    """Return the profile with files cut likewise; comments are left out."""
    names = _FileNames()
    return replace(
        profile,
        function_files=[names.short(file) if _is_absolute(file) else file for file in profile.function_files],
        mappings=tuple(replace(mapping, file=mapping.file.rpartition("/")[2]) for mapping in profile.mappings),
        comments=(),
    )


class _FileNames:
    """Short names of absolute files, one for each."""

    def __init__(self) -> None:
        self._short: dict[str, str] = {}
        self._taken: set[str] = set()

    def short(self, file: str) -> str:
        """Return the file's name; one that another file has got already gets a number."""
        known = self._short.get(file)
        if known is None:
            known = tail = _tail(file)
            number = 1
            while known in self._taken:
                number += 1
                known = f"{number}~{tail}"
            self._short[file] = known
            self._taken.add(known)
        return known


class _Cleaner:
    """Cleans all texts of a report alike."""

    def __init__(self, report: Report) -> None:
        self._files = _FileNames()
        self._texts: dict[str, str] = {}
        parts = [urlsplit(target) for target in report.targets if "://" in target]
        hosts = {name for part in parts for name in (part.netloc.rpartition("@")[2], part.hostname or "")}
        named = sorted((re.escape(host) for host in hosts if ":" in host or "." in host), key=len, reverse=True)
        self._hosts = re.compile(rf"(?<![\w.-])(?:{'|'.join(named)})(?![\w-])") if named else None
        spaced = {target for target in report.targets if _is_absolute(target)}
        spaced |= {finding.site.file for finding in report.findings if _is_absolute(finding.site.file)}
        self._spaced = sorted((path for path in spaced if " " in path), key=len, reverse=True)

    def clean(self, value: T) -> T:
        """Return a value of the report, of any shape, with all its texts cleaned."""
        cleaned: Any = value
        if isinstance(value, str) and type(value) is str:  # enumerations are texts of ours
            cleaned = self.text(value)
        elif isinstance(value, tuple):
            cleaned = tuple(self.clean(item) for item in value)
            cleaned = value if all(map(operator.is_, cleaned, value)) else cleaned
        elif isinstance(value, dict):
            cleaned = {self.text(key): self.clean(item) for key, item in value.items()}
        elif is_dataclass(value):
            cleaned = self._object(value)
        return cleaned  # type: ignore[no-any-return] # of the same type as `value`

    def _object(self, value: Any) -> Any:  # noqa: ANN401 - any dataclass of the model
        changed = {}
        for field in fields(value):
            old = getattr(value, field.name)
            new = self.file(old) if field.name == "file" else self.clean(old)
            if new is not old:
                changed[field.name] = new
        return replace(value, **changed) if changed else value

    def file(self, file: str) -> str:
        """Clean the name of a source file."""
        return self._files.short(file) if _is_absolute(file) else file

    def text(self, text: str) -> str:
        """Clean a name or a sentence."""
        known = self._texts.get(text)
        if known is None:
            known = self._texts[text] = self._cleaned(text)
        return known

    def _cleaned(self, text: str) -> str:
        for path in self._spaced:
            if path in text:
                text = text.replace(path, self._files.short(path))
        text = _URL_HOST.sub(rf"\g<1>{_HOST}", text)
        if self._hosts is not None:
            text = self._hosts.sub(_HOST, text)
        return _PATH.sub(lambda found: self._files.short(found[0]), text)


def _flame(root: FlameNode, cleaner: _Cleaner) -> FlameNode:
    """Clean a call tree, which may be deeper than Python's own stack."""
    order = [root]
    for node in order:
        order.extend(node.children)
    done: dict[int, FlameNode] = {}
    for node in reversed(order):
        done[id(node)] = replace(
            node,
            name=cleaner.text(node.name),
            file=cleaner.file(node.file),
            children=tuple(done[id(child)] for child in node.children),
        )
    return done[id(root)]


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or path[1:3] in {":/", ":\\"}


def _tail(path: str) -> str:
    """Cut an absolute path to its last two elements; the name of somebody's home is none of them."""
    parts = [part for part in path.replace("\\", "/").split("/") if part]
    if parts and parts[0].endswith(":"):
        del parts[0]
    for depth, names in enumerate(reversed(_HOMES), start=1):
        if parts and parts[0] in names:
            del parts[:depth]
            break
    return "/".join(parts[-_LEFT:]) or "…"
