"""The folder that the compiler writes its JSON to (`-json=0,DIR`): a folder per package, one per program.

All programs are compiled under the name "main" and would overwrite each other, so each gets a root of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from whyheap.errors import ToolError
from whyheap.parse.go_list import ListedPackage

_ESCAPED_ALIKE = "$&+=:@~-_."  # what Go's url.PathEscape leaves alone


@dataclass(frozen=True, slots=True)
class JsonFolder:
    """`root` is absolute, as the compiler demands."""

    root: Path

    def flags(self, mains: Iterable[str], more: str) -> Iterator[str]:
        """Yield go's flags that make the compiler explain itself, to this folder; `more` are the user's own."""
        rest = f" {more}" if more else ""
        yield f"-gcflags=-m=2 {_quoted(f'-json=0,{self.root}')}{rest}"
        for main in sorted(mains):
            yield f"-gcflags={main}=-m=2 {_quoted(f'-json=0,{self._main_root(main)}')}{rest}"

    def log_folder(self, package: str, variant: str = "") -> Path | None:
        """Return where the compiler wrote this package's JSON, None if it did not (it was not compiled now).

        With its tests (`variant`) a program is compiled under its own import path, and "main" is the program alone.
        """
        own = quote(package, safe=_ESCAPED_ALIKE)
        main = self._main_root(package) / (own if variant else "main")
        for folder in (main, self.root / own):
            if folder.is_dir():
                return folder
        return None

    def has_entries(self) -> bool:
        """Whether anything was compiled yet."""
        try:
            return any(self.root.iterdir())
        except OSError:
            return False

    def _main_root(self, main: str) -> Path:
        return self.root / "mains" / hashlib.blake2b(main.encode(), digest_size=8).hexdigest()


def is_of(package: ListedPackage, folder: Path) -> bool:
    """Whether a log folder is of this package: that of a program's tests is named "main", too."""
    if package.Name != "main":
        return True
    names = (quote(Path(file).stem, safe=_ESCAPED_ALIKE) for file in (*package.GoFiles, *package.CgoFiles))
    return any((folder / f"{name}.json").exists() for name in names)


def _quoted(flag: str) -> str:
    """Quote one flag within -gcflags: go knows both quotes and no escapes (cmd/internal/quoted)."""
    if not any(char.isspace() or char in "'\"" for char in flag):
        return flag
    for mark in "'\"":
        if mark not in flag:
            return f"{mark}{flag}{mark}"
    raise ToolError(f"go cannot be told a cache folder with both quotes in its name: {flag}", "Set WHYHEAP_CACHE")
