"""Defaults from whyheap.toml: what they may set, and what only a named file may."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli_runs import Cli


def test_defaults_come_from_a_file(cli: Cli, heap: Path) -> None:
    Path("whyheap.toml").write_text('focus = "no such function"\n[why]\nformat = "json"\n')
    report = json.loads(cli("why", heap).out)
    assert not report["findings"]
    assert json.loads(cli("why", heap, "--focus", ".").out)["findings"]
    Path("other.toml").write_text("[why]\nformat = 'text'\n")
    assert not cli("why", heap, "--config", "other.toml").out.startswith("{")


@pytest.mark.parametrize(
    "text",
    [
        "[why]\nformt = 'json'\n",
        "why = 3\n",
        "not toml",
        "[why]\nformat = [3]\n",
        "[why]\nall = 'maybe'\n",
        "\xff",
        "[why]\nseconds = [1]\n",
        "[why]\nconfig = 'x'\n",
        "formt = 'json'\n",
        "[whyy]\nformat = 'json'\n",
        "[why]\ngo = '/evil'\n",
        "go = './1.27.3'\n",
        "[why]\noutput = ['a.json']\n",
        "header = ['a: b']\n",
        "ca-file = 'x'\n",
        "insecure = true\n",
        "gcflags = '-l -cpuprofile=x'\n",
        "gcflags = '-o x'\n",
    ],
)
def test_a_configuration_that_is_wrong(text: str, cli: Cli, heap: Path) -> None:
    Path("whyheap.toml").write_bytes(text.encode("latin-1"))
    ran = cli("why", heap)
    assert "whyheap.toml" in ran.check_error(2)
    assert ran.out == ""


def test_keys_of_other_commands_and_versions_of_go_are_fine(cli: Cli, heap: Path) -> None:
    Path("whyheap.toml").write_text("facts = false\ntags = 'a'\ngo = 1.27\ngcflags = '-l -d=ssa/check_bce'\n[scan]\n")
    assert cli("why", heap).code == 0
    assert cli("patterns").code == 0


def test_a_refused_key_and_a_typing_error_name_the_way_out(cli: Cli, heap: Path) -> None:
    Path("whyheap.toml").write_text("secods = 3\n")
    assert "Did you mean seconds?" in cli("why", heap).err
    Path("whyheap.toml").write_text("output = ['a.json']\n")
    assert "Name the file with --config whyheap.toml" in cli("why", heap).err
    assert not Path("a.json").exists()


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        ("fix", "write = true"),
        ("fix", "force = true"),
        ("diff", "bench = '.'"),
        ("why", "goroutineleak = true"),
        ("record", "hold-at-limit = true"),
        ("record", "raise-limit = '1GiB'"),
        ("record", "high = '90%'"),
    ],
)
def test_a_configuration_that_nobody_named_changes_nothing(command: str, setting: str, cli: Cli) -> None:
    Path("whyheap.toml").write_text(f"[{command}]\n{setting}\n")
    ran = cli(command)
    assert "is not taken from a file that was not named" in ran.check_error(2)
    assert ran.out == ""


def test_choices_and_wrong_commands_are_one_sentence(cli: Cli) -> None:
    assert cli("completion").check_error(2).endswith("Choose from: bash, fish, zsh")
    assert cli("xyzzy").err.count("whyheap --help") == 1


@pytest.mark.parametrize("command", [("fix",), ("explain", "main.go:3")])
def test_an_own_form_is_that_of_the_suffix(command: tuple[str, ...], cli: Cli) -> None:
    assert "its name ends in none of .txt" in cli(*command, "-o", "x.html").check_error(2)
    assert "there are 2" in cli(*command, "-o", "a.json", "-o", "b.txt", "--format", "json").check_error(2)


@pytest.mark.parametrize("text", ["hello\n", "a line\r\nand \x1b[31mred\x1b[0m, \u00e4\n"])
def test_a_text_that_is_no_target_is_told_what_was_expected(text: str, cli: Cli, heap: Path) -> None:
    Path("notes.txt").write_text(text)
    ran = cli("why", "notes.txt", heap)
    assert "notes.txt is a text that says nothing of a Go process's memory" in ran.check_error(2)
    assert "Targets are packages (., ./..., ./cmd/api)" in ran.err


@pytest.mark.parametrize(("command", "slug"), [("patterns", "append-growth"), ("causes", "goroutine-leak")])
def test_a_catalogue_is_json_on_request(command: str, slug: str, cli: Cli) -> None:
    every = json.loads(cli(command, "--format", "json").out)
    (own,) = json.loads(cli(command, slug, "--format", "json").out)[command]
    assert every["schema"] == 1
    assert own in every[command]
    assert own["slug"] == slug
    assert own["sections"]["What it is"]
    assert cli(command, "nothing", "--format", "json").code == 2


def test_fix_asks_no_service(cli: Cli) -> None:
    assert "whyheap why http://127.0.0.1:1" in cli("fix", "http://127.0.0.1:1").err


def test_a_folder_named_like_a_version_is_not_run(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)  # no pip that could fetch it
    evil = Path("1.27.3/bin/go")
    evil.parent.mkdir(parents=True)
    evil.write_text("#!/bin/sh\ntouch ran\n")
    evil.chmod(0o755)
    Path("whyheap.toml").write_text("go = '1.27.3'\n")
    assert "Go 1.27.3 cannot be had" in cli("scan").check_error(3)
    assert not Path("ran").exists()


def test_a_format_from_a_configuration_is_that_of_stdout(cli: Cli, heap: Path) -> None:
    Path("whyheap.toml").write_text("[why]\nformat = 'json'\n")
    ran = cli("why", heap, "-o", "a.folded", "-o", "b.jsonl")
    assert json.loads(ran.out)["schema"] == 1
    assert not Path("a.folded").read_text().startswith("{")
    assert cli("why", heap, "-o", "-", "-o", "c.json", "--format", "jsonl").out == Path("b.jsonl").read_text()


def test_repeatable_options_and_numbers_in_a_configuration(cli: Cli, heap: Path) -> None:
    Path("mine.toml").write_text("[why]\noutput = ['a.json', 'b.json']\nseconds = 0\nall = true\n")
    ran = cli("why", heap, "--config", "mine.toml")
    assert (ran.code, ran.err) == (0, "")
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()
