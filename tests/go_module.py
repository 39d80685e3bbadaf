"""Go modules written for tests, and the command line in one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from cli_runs import Cli
from toolchains import environment

GO_MOD = "module example.com/shop\n\ngo 1.22\n"


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files by their path in a folder, which is made where it is missing and returned."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def cli_in(
    module: Path, cache: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch, version: str | None = None
) -> Cli:
    """Return the command line in a module, with a Go of the tests, the newest by default, and a cache of its own."""
    for name, value in environment(version, WHYHEAP_CACHE=str(cache)).items():
        patch.setenv(name, value)
    patch.chdir(module)
    return Cli(capsys)
