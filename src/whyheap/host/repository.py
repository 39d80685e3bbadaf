"""Where a folder stands in its git repository: what code hosts show is named from the repository's root."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def folder_in_repository(folder: Path) -> str:
    """Return `folder` relative to the root of its git repository, with forward slashes; "" at the root or outside.

    The root is the nearest folder with .git (a folder; in a worktree or submodule a file). git itself is not asked.
    """
    with suppress(OSError, ValueError):  # a folder of another machine, or one that may not be read
        here = folder.resolve(strict=True)
        for root in (here, *here.parents):
            if (root / ".git").exists():
                inside = here.relative_to(root).as_posix()
                return "" if inside == "." else inside
    return ""
