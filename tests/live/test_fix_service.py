"""Edits of code in the style of a service's author: labels, comments, variables that were set before; by suffix."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import toolchains

pytestmark = pytest.mark.live
MODULE = Path(__file__).with_name("fix_service")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    folder = tmp_path_factory.mktemp("service")
    for file in MODULE.glob("*.txt"):
        (folder / file.stem).write_text(file.read_text())
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", "init", "-q"], cwd=folder, env=env, check=True)
    subprocess.run(["git", "add", "."], cwd=folder, env=env, check=True)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.test"]
    subprocess.run(["git", *who, "commit", "-qm", "all"], cwd=folder, env=env, check=True)
    env = toolchains.environment(NO_COLOR="1", COLUMNS="80", GOFLAGS="", GOWORK="off")
    outputs = [one for name in ("all.json", "all.patch") for one in ("-o", str(folder.parent / name))]
    command = [sys.executable, "-m", "whyheap", "fix", ".", "--write", "--unmeasured", "--all", *outputs]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, json.loads((folder.parent / "all.json").read_text()), done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "\toCopies := make([]Order, len(orders))",  # os is a package to every reader
        "\t\t\tout = append(out, &oCopies[i])",
        '\t\t\tif cell == "#" { // the rest is a comment',
        '\t\t\t\toutBuilder.WriteString(",")',
        "\toutBuilder.WriteString(out)",  # what the string held before the loop
        "\t\tallBuilder.WriteString(line)",
        'var labelReplacer = strings.NewReplacer("\\\\", "\\\\\\\\", "\\n", "\\\\n")',
        "\tout.Write(data) // raw",
        "\tpage := *pagePointer",
        "\tdefer pages.Put(pagePointer)",
    ],
)
def test_an_edit_reads_as_the_code_around_it(service: tuple[Path, dict[str, Any], str], line: str) -> None:
    assert line in (service[0] / "service.go").read_text().splitlines()


def test_all_are_proven_or_not_measured_and_the_tests_pass(service: tuple[Path, dict[str, Any], str]) -> None:
    folder, answer, _ = service
    assert {one["proof"]["standing"] for one in answer["edits"]} <= {"proven", "unmeasured"}
    env = toolchains.environment(GOFLAGS="", GOWORK="off")
    done = subprocess.run([str(toolchains.go()), "test", "."], cwd=folder, env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    text = (folder / "service.go").read_text()
    assert "*pagePointer = page" not in text  # it is the same slice


def test_a_refusal_names_the_reason_and_what_to_do_by_hand(service: tuple[Path, dict[str, Any], str]) -> None:
    _, answer, shown = service
    told = {one["reason"]: one["alternatives"] for one in answer["refused"]}
    for reason in (
        "a goto may come back to the loop",
        "the loop is left by a label",
        "the function compares the error that it makes",
    ):
        assert told[reason], answer["refused"]
        assert f"not automatic: {reason}" in shown
        assert f"your judgement: {told[reason][0][:40]}" in shown


def test_a_file_has_the_form_of_its_suffix(service: tuple[Path, dict[str, Any], str]) -> None:
    folder, answer, shown = service
    assert shown.startswith(" service  go")
    assert answer["schema"] == 1
    done = subprocess.run(
        ["git", "apply", "--check", "--reverse", str(folder.parent / "all.patch")], cwd=folder, check=False
    )
    assert done.returncode == 0
