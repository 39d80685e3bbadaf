"""`whyheap lab` without Go: what is refused before any work begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_runs import Cli


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return Cli(capsys)


@pytest.mark.parametrize(
    ("arguments", "code", "words", "hint"),
    [
        (["interface-boxng"], 2, "no pattern 'interface-boxng'", "interface-boxing"),
        (["folklore", "large-strct"], 2, "no claim 'large-strct'", "large-struct"),
        (["--format", "html"], 2, "text or json", "--format json"),
        (["--go", ","], 2, "names no version", "all"),
        (["--go", "newest"], 2, "neither a file nor a Go version", "--go"),
    ],
)
def test_a_wrong_word_costs_nothing(cli: Cli, arguments: list[str], code: int, words: str, hint: str) -> None:
    ran = cli("lab", *arguments)
    assert words in ran.check_error(code)
    assert hint in ran.err
    assert ran.out == ""


def test_a_version_that_cannot_be_had_ends_the_run(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("whyheap.host.toolchains.wheel_command", lambda: None)
    monkeypatch.setattr("whyheap.host.go.wheel_command", lambda: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    ran = cli("lab", "--go", "9.99")
    assert "Go 9.99 cannot be had" in ran.check_error(3)


def test_the_help_names_the_folklore(cli: Cli) -> None:
    assert "folklore" in cli("lab", "--help").out
