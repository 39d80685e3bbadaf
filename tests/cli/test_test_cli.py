"""`whyheap test`: what is typed wrong costs nothing, and flags of go test stand behind --."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_runs import Cli


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    return Cli(capsys)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("./...", "-race"), "there is no option -r"),
        (("--racy",), "there is no option --racy"),
        (("--", "-race", "./p"), "./p stands behind --, where only flags of go test are"),
        (("--", "-run", "X", "-trimpath", "./p"), "./p stands behind --, where only flags"),
        (("--allow", "("), "--allow (: "),
        (("--wait", "soon"), "'soon' is not a duration"),
        (("--timeout", "soon"), "'soon' is not a duration"),
        (("-o", "x.pprof"), "does not say its format"),
        (("--format", "html"), "is not a format; there are text, json, sarif"),
    ],
)
def test_what_is_typed_wrong_is_told_at_once(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    assert words in cli("test", *arguments).check_error(2)


def test_the_help_tells_where_flags_stand(cli: Cli) -> None:
    ran = cli("test", "--help")
    assert ran.code == 0
    assert "[PACKAGES]... [-- FLAGS OF GO TEST]" in ran.out
