"""Adds and drops imports in a file's text, where a person would: sorted, in the standard library's group."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ast_grep_py import SgNode, SgRoot

_BEHIND = re.compile(r"^(?:func|var|type|const)\b", re.MULTILINE)
"""What can stand behind the imports only: big files are not parsed for their first lines."""


def mended(text: str, needed: Iterable[str], unused: Iterable[str]) -> str:
    """Return the text with the imports that it needs and without those that are unused; all are of std."""
    found = _BEHIND.search(text)
    head, rest = (text[: found.start()], text[found.start() :]) if found else (text, "")
    return _mended(head, needed, unused) + rest


def _mended(text: str, needed: Iterable[str], unused: Iterable[str]) -> str:
    dropped = set(unused)
    had_block = bool(_blocks(text))
    for path in sorted(set(needed)):
        if path not in {_path(spec) for spec in _specs(text)}:
            text = _added(text, path)
        dropped.discard(path)
    for path in sorted(dropped):
        text = _dropped(text, path)
    return text if had_block else _without_block(text)


def _without_block(text: str) -> str:
    """Return the text with a block of one import written as `import "path"`."""
    for block in _blocks(text):
        specs = list(block.find_all(kind="import_spec"))
        if len(specs) == 1:
            whole = block.range()
            return f"{text[: whole.start.index]}import {specs[0].text()}{text[whole.end.index :]}"
    return text


def _blocks(text: str) -> list[SgNode]:
    declarations = _root(text).find_all(kind="import_declaration")
    return [one for one in declarations if one.find(kind="import_spec_list") is not None]


def _root(text: str) -> SgNode:
    return SgRoot(text, "go").root()


def _specs(text: str) -> list[SgNode]:
    return list(_root(text).find_all(kind="import_spec"))


def _path(spec: SgNode) -> str:
    path = spec.field("path")
    return path.text().strip('"`') if path is not None else ""


def _is_std(path: str) -> bool:
    return "." not in path.split("/", 1)[0]


def _added(text: str, path: str) -> str:
    blocks = _blocks(text)
    for block in blocks:
        specs = [one for one in block.find_all(kind="import_spec") if _is_std(_path(one))]
        if specs:
            return _beside(text, specs, path)
    if blocks:
        at = text.index("(", blocks[0].range().start.index) + 1
        return f'{text[:at]}\n\t"{path}"\n{text[at:]}'
    root = _root(text)
    declarations = list(root.find_all(kind="import_declaration"))
    if declarations:
        first = declarations[0].range()
        spec = text[first.start.index + len("import") : first.end.index].strip()
        paths = sorted([spec, f'"{path}"'], key=lambda one: one.split('"')[-2])
        block_text = "import (\n" + "".join(f"\t{one}\n" for one in paths) + ")"
        return text[: first.start.index] + block_text + text[first.end.index :]
    clause = root.find(kind="package_clause")
    at = clause.range().end.index if clause is not None else 0
    return f'{text[:at]}\n\nimport "{path}"{text[at:]}'


def _beside(text: str, specs: list[SgNode], path: str) -> str:
    """Put the import at its place among those of std, on a line of its own."""
    later = next((one for one in specs if _path(one) > path), None)
    if later is not None:
        at = text.rfind("\n", 0, later.range().start.index) + 1
        return f'{text[:at]}\t"{path}"\n{text[at:]}'
    at = text.find("\n", specs[-1].range().end.index)
    return f'{text[:at]}\n\t"{path}"{text[at:]}'


def _dropped(text: str, path: str) -> str:
    for spec in _specs(text):
        if _path(spec) != path:
            continue
        parent = spec.parent()
        if parent is not None and parent.kind() == "import_declaration":
            whole = parent.range()
            return text[: whole.start.index].rstrip("\n") + "\n\n" + text[whole.end.index :].lstrip("\n")
        siblings = [one for one in parent.children() if one.kind() == "import_spec"] if parent is not None else []
        declaration = parent.parent() if parent is not None else None
        if len(siblings) == 1 and declaration is not None:
            whole = declaration.range()
            return text[: whole.start.index].rstrip("\n") + "\n\n" + text[whole.end.index :].lstrip("\n")
        start = text.rfind("\n", 0, spec.range().start.index) + 1
        stop = text.find("\n", spec.range().end.index) + 1
        return text[:start] + text[stop:]
    return text
