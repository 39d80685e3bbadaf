"""Git repositories with a history, made for tests; nothing of the developer's own settings takes part."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from go_module import GO_MOD

_ENV = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_ALLOW_PROTOCOL": "file",
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **_ENV}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    return folder


def commit(folder: Path, files: Mapping[str, str | None], message: str = "change") -> str:
    """Write files, or remove those that are None, and commit all; returns the commit."""
    for name, text in files.items():
        path = folder / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def shop(base: Path, patch: pytest.MonkeyPatch) -> Path:
    """Make a module with two commits, v1.0.0 and the branches main and feature/fast, stand in it, and return it."""
    patch.setenv("WHYHEAP_CACHE", str(base / "cache"))
    patch.setenv("GIT_CEILING_DIRECTORIES", str(base))
    found = repository(base / "repo")
    commit(found, {"go.mod": GO_MOD, "a.go": "package shop\n"})
    commit(found, {"b/b.go": "package b\n"})
    git(found, "tag", "v1.0.0", "HEAD~1")
    git(found, "branch", "feature/fast")
    patch.chdir(found)
    return found
