"""What `whyheap diff` says of words that name no revision, before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_runs import Cli
from git_history import commit, repository


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    root = repository(tmp_path / "repo")
    commit(root, {"go.mod": "module example.com/shop\n\ngo 1.22\n", "shop.go": "package shop\n"})
    monkeypatch.chdir(root)
    return Cli(capsys)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("diff", "mian", "HEAD"), "'mian' is no file and no revision of this repository"),
        (("diff", "HEAD", "mian"), "'mian' is neither a revision of this repository nor a package"),
        (("diff", "HEAD", "HEAD", "HEAD"), "'HEAD' is one revision too many"),
        (("diff", "HEAD", "--bench", ".", "--rounds", "0"), "0 rounds of benchmarks make no comparison"),
        (("diff", "HEAD", "--bench", ".", "--benchtime", "soon"), "'soon' is no time to run a benchmark for"),
        (("diff", "HEAD", "--format", "html"), "'html' is not a format of diff; there are text, json, markdown"),
        (("diff", "pid:1", "pid:2", "--format", "markdown"), "--format markdown is for git revisions"),
        (("diff", "pid:1", "pid:2", "--bench", "."), "--bench is for git revisions"),
        (("diff", "HEAD", "-o", "x.pdf"), "'x.pdf' does not say its format: its name ends in none of .txt, .json, .md"),
    ],
)
def test_words_that_are_wrong(cli: Cli, words: tuple[str, ...], message: str) -> None:
    assert cli(*words).check_error(2) == message


def test_outside_a_repository(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain").mkdir()
    monkeypatch.chdir(tmp_path / "plain")
    assert "is in no git repository" in cli("diff", "main", "HEAD").check_error(2)


def test_a_profile_that_is_not_there_is_no_revision(cli: Cli) -> None:
    assert cli("diff", "a.whyheap", "b.whyheap").check_error(3) == "a.whyheap: there is no such file"
