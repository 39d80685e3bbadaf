"""Edited files as an overlay of go's: the user's tree is never written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from whyheap.collect.go_types import GoTypes
from whyheap.host.files import write_atomically
from whyheap.host.go import GoTool
from whyheap.model.edit import Edit
from whyheap.patterns.edit_source import EditSource
from whyheap.proof.composition import compose


@dataclass(frozen=True, slots=True)
class EditedFile:
    """One file with edits: `path` is absolute, `text` the whole new text as gofmt writes it."""

    file: str
    path: str
    before: str
    text: str
    edits: tuple[Edit, ...]
    clashing: tuple[Edit, ...] = ()
    is_formatted: bool = True


_AT_ONCE = 40  # whole files
_NONE: Mapping[str, str] = MappingProxyType({})


class Workshop:
    """Where edits are put together. `work` is a temporary folder of ours."""

    def __init__(
        self, go: GoTool, types: GoTypes, sources: Mapping[str, EditSource], paths: Mapping[str, str], work: Path
    ) -> None:
        """`paths` says where each file is on this machine."""
        self.go = go
        self.work = work
        self._types = types
        self._sources = sources
        self._paths = paths
        self._was_formatted: dict[str, bool] = {}

    def put_together(self, edits: Iterable[Edit]) -> list[EditedFile]:
        """Return each file with its edits. A file that gofmt would have changed before is left unformatted."""
        by_file: dict[str, list[Edit]] = {}
        for edit in edits:
            by_file.setdefault(edit.file, []).append(edit)
        composed = {file: compose(self._sources[file], own) for file, own in by_file.items()}
        self._look(by_file)
        formatted = self._types.format([one.text for one in composed.values()])
        files = []
        for (file, one), text in zip(composed.items(), formatted, strict=True):
            is_formatted = self._was_formatted[file]
            new = text if text is not None and is_formatted else one.text
            before = self._sources[file].text
            files.append(EditedFile(file, self._paths[file], before, new, one.edits, one.clashing, is_formatted))
        return files

    def each_alone(self, edits: Iterable[Edit]) -> dict[Edit, EditedFile]:
        """Return for each edit its file with that edit alone."""
        edits = list(edits)
        self._look(dict.fromkeys(edit.file for edit in edits))
        files = {}
        for start in range(0, len(edits), _AT_ONCE):
            some = edits[start : start + _AT_ONCE]
            composed = [compose(self._sources[edit.file], [edit]).text for edit in some]
            for edit, text, new in zip(some, composed, self._types.format(composed), strict=True):
                is_formatted = self._was_formatted[edit.file]
                shown = new if new is not None and is_formatted else text
                before, path = self._sources[edit.file].text, self._paths[edit.file]
                files[edit] = EditedFile(edit.file, path, before, shown, (edit,), is_formatted=is_formatted)
        return files

    def _look(self, files: Iterable[str]) -> None:
        """Find out which files are as gofmt writes them."""
        new = [file for file in files if file not in self._was_formatted]
        texts = [self._sources[file].text for file in new]
        for file, text, done in zip(new, texts, self._types.format(texts), strict=True):
            self._was_formatted[file] = text == done

    def source(self, file: str) -> EditSource:
        """Return a file as it is."""
        return self._sources[file]

    def original(self, words: str, files: Sequence[EditedFile]) -> str:
        """Return an error's words with the user's names of files for those of the overlay."""
        names = {f"overlay-{number}.go": one.file for number, one in enumerate(files)}
        return re.sub(r"[^\s:]*/(overlay-\d+\.go)", lambda found: names.get(found[1], found[0]), words)

    def overlay_file(self, name: str) -> Path:
        """Return the file in which an overlay stands."""
        return self.work / f"{name}.json"

    def overlay(self, files: Sequence[EditedFile], name: str = "overlay", more: Mapping[str, str] = _NONE) -> GoTool:
        """Return a go command that sees the edited files in place of the user's, and `more` texts by their path."""
        replaced = {}
        for number, (path, text) in enumerate(more.items()):
            new = self.work / f"{name}-more-{number}.go"
            new.write_text(text, encoding="utf-8")
            replaced[path] = str(new)
        for number, one in enumerate(files):
            new = self.work / f"{name}-{number}.go"
            new.write_bytes(one.text.encode("utf-8", "surrogateescape"))
            replaced[one.path] = str(new)
        overlay = self.overlay_file(name)
        write_atomically(overlay, json.dumps({"Replace": replaced}).encode())
        known = self.go.env.get("GOFLAGS", os.environ.get("GOFLAGS", ""))
        return GoTool(self.go.command, {**self.go.env, "GOFLAGS": f"{known} '-overlay={overlay}'".strip()})
