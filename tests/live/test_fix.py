"""Edits of a module that has every pattern and every trap: proven, written, and of the same meaning."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

import editor_samples
import toolchains

pytestmark = pytest.mark.live
MODULE = Path(__file__).with_name("fix_module")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = toolchains.environment(NO_COLOR="1", COLUMNS="80", GOFLAGS="", GOWORK="off")
    command = [sys.executable, "-m", "whyheap", "fix", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def copied(folder: Path) -> Path:
    for file in MODULE.rglob("*.txt"):
        target = folder / file.relative_to(MODULE).with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.read_text())
    return folder


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def answer(module: Path) -> dict[str, Any]:
    before = {file: file.read_bytes() for file in module.rglob("*.*")}
    done = run(module, "./...", "--write", "--unmeasured", "--format", "json")
    assert done.returncode == 0, done.stderr
    changed = {file.name for file, text in before.items() if file.read_bytes() != text}
    assert changed == {"good.go", "picky.go", "failing.go"}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def edits(answer: dict[str, Any], file: str) -> list[dict[str, Any]]:
    return [one for one in answer["edits"] if one["file"].endswith(file)]


@pytest.mark.parametrize(
    ("pattern", "new"),
    [
        ("append-growth", "out = slices.Grow(out, len(ids))"),
        ("append-growth", "out = slices.Grow(out, max(n, 0))"),
        ("append-growth", "out := make([]string, 0, 2*len(words))"),
        ("variadic-any", 'return host + ":" + strconv.Itoa(port)'),
        ("variadic-any", "return strconv.FormatUint(uint64(id), 10)"),
        ("variadic-any", 'return name + `="` + value + `"`'),
        ("variadic-any", 'return name + " is closed: " + strconv.Itoa(len(name)) + "%"'),
        ("variadic-any", 'return "<" + name + "-" + strconv.Itoa(id) + fmt.Sprintf("%s %d", name, id)[:1]'),
        ("variadic-any", '(name + " " + strconv.Itoa(id))[:1]'),
        ("variadic-any", '\t" lines of " + strconv.Itoa(columns) + " columns"'),
        ("error-per-call", "return errOneTwoThreeFourFiveSix"),
        ("error-per-call", "return errOneTwoThreeFourFiveTheDoor"),
        ("reflection-call", "slices.SortFunc(users, func(a, b user) int {"),
        ("reflection-call", "return cmp.Compare(b.name, a.name)"),
        ("reflection-call", "return (a == nil) == (b == nil) && slices.Equal(a, b)"),
        ("loop-variable-address", "all[i] = &us[i]"),
        ("map-storage", "seen := make(map[string]bool, len(words))"),
        ("error-per-call", "return errTooMany"),
        ("construction-per-call", "return matchesRegexp.MatchString(text)"),
        ("string-concatenation", "textBuilder.WriteString(part)"),
        ("string-concatenation", '\t&textBuilder, "%04x", id,'),
        ("string-concatenation", "textBuilder.WriteString(fmt.Sprint())"),
        ("string-conversion", "out.Write(text)"),
        ("closure-by-reference", "text := text"),
        ("closure-by-reference", "textCopy := text"),
        ("closure-by-reference", "nCopy := n"),
        ("closure-by-reference", "return func() (string, int) { return name, keys3 + keys3 }"),
        ("deferred-call-in-loop", "func() {"),
        ("deferred-call-in-loop", "defer file.Close()"),
        ("deferred-call-in-loop", "defer func() { _ = file.Close() }()"),
        ("pool-boxing", "bufPointer := scratch.Get().(*[]byte)"),
        ("pool-boxing", "buf := (*bufPointer)[:0]"),
    ],
)
def test_a_mechanical_fix_is_made_and_proven(answer: dict[str, Any], pattern: str, new: str) -> None:
    own = [one for one in edits(answer, "good.go") if one["pattern"] == pattern]
    added = [line[1:] for one in own for line in one["diff"].splitlines() if line.startswith("+")]
    assert any(new in line for line in added), own
    assert {one["proof"]["standing"] for one in own} == {"proven"}


@pytest.mark.parametrize("file", ["traps.go", "generated.go", "old/old.go"])
def test_what_would_change_the_meaning_is_left_alone(answer: dict[str, Any], file: str) -> None:
    assert [one["title"] for one in edits(answer, file)] == []


def test_what_an_edit_changes_besides_is_said(answer: dict[str, Any]) -> None:
    cautions = {one["pattern"]: one["caution"] for one in answer["edits"]}
    assert "equal each other" in cautions["error-per-call"]
    assert cautions["variadic-any"] == ""


def test_an_edit_says_what_it_saved(answer: dict[str, Any]) -> None:
    (grown,) = [one for one in edits(answer, "good.go") if one["title"].startswith("out = slices.Grow(out, len(ids))")]
    proof = grown["proof"]
    assert proof["objects_after"] < proof["objects_before"]
    assert proof["measured_by"] == "tests"
    fixes = [fix for one in answer["findings"] if one["id"] in grown["findings"] for fix in one["fixes"]]
    assert proof in [fix["proof"] for fix in fixes]


def test_an_edit_that_a_test_minds_is_refuted_alone(answer: dict[str, Any]) -> None:
    told = {one["pattern"]: one["proof"] for one in edits(answer, "picky.go")}
    assert told["error-per-call"]["standing"] == "refuted"
    assert told["error-per-call"]["reason"] == "TestErrorsAreTold fails with it"
    assert (told["variadic-any"]["standing"], told["variadic-any"]["tests"]) == ("proven", "pass")


def test_tests_that_fail_anyway_are_not_held_against_an_edit(answer: dict[str, Any]) -> None:
    (told,) = (one["proof"] for one in edits(answer, "failing.go"))
    assert (told["standing"], told["tests"]) == ("proven", "fail without it too")


def test_the_module_is_as_good_as_before(module: Path, answer: dict[str, Any]) -> None:
    assert answer["edits"]
    env = toolchains.environment(GOFLAGS="", GOWORK="off")
    go = str(toolchains.go())
    for command in (["vet", "./..."], ["test", ".", "./old", "./picky"]):
        done = subprocess.run([go, *command], cwd=module, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    formatted = subprocess.run(
        [str(toolchains.go().with_name("gofmt")), "-l", "."], cwd=module, capture_output=True, text=True, check=False
    )
    assert formatted.stdout == ""


@pytest.mark.parametrize("name", editor_samples.SAMPLES)
def test_what_editors_are_told_is_as_recorded(name: str) -> None:
    """tests/patterns/test_editors.py asks the editors without a compiler."""
    known = msgspec.json.decode((editor_samples.FOLDER / f"{name}.json").read_bytes(), type=editor_samples.Recorded)
    fresh = editor_samples.record(name)
    assert fresh.findings == known.findings
    assert (fresh.scope, fresh.checked) == (known.scope, known.checked)


def test_a_key_is_converted_where_the_map_is_asked(tmp_path: Path) -> None:
    """Newer compilers copy nothing there."""
    folder = copied(tmp_path)
    line = next(n for n, text in enumerate((folder / "good.go").read_text().splitlines(), 1) if "k := string(" in text)
    done = run(folder, f"good.go:{line}", "--no-tests", "--go", str(toolchains.go(toolchains.oldest())))
    assert "+    return names[string(key)]" in done.stdout, done.stderr
    assert "proven" in done.stdout


def test_comments_behind_a_conversion_that_moves_stay(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.test/m\n\ngo 1.22\n")
    (tmp_path / "m.go").write_text(
        "package m\n\nfunc Look(m map[string]int, b []byte) int {\n"
        "\tk := string(b) // the tenant\n\t// zero where there is none\n\treturn m[k]\n}\n"
    )
    done = run(tmp_path, "m.go:4", "--no-tests", "--write", "--go", str(toolchains.go(toolchains.oldest())))
    assert done.returncode == 0, done.stderr
    body = "\t// the tenant\n\t// zero where there is none\n\treturn m[string(b)]\n}\n"
    assert (tmp_path / "m.go").read_text().endswith(body)


def test_a_line_tells_why_it_is_not_edited(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    line = next(n for n, text in enumerate((folder / "traps.go").read_text().splitlines(), 1) if "%v is" in text)
    done = run(folder, f"traps.go:{line}", "--no-tests")
    assert done.returncode == 0
    assert "not automatic: level has a method that fmt calls" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_first_line_of_a_call_means_all_of_its_lines(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.test/m\n\ngo 1.22\n")
    text = 'return join(\n\t\t"id",\n\t\tfmt.Sprintf("%d", id),\n\t)'
    join = "func join(a, b string) string { return a + b }"
    (tmp_path / "m.go").write_text(
        f'package m\n\nimport "fmt"\n\nfunc Label(id int) string {{\n\t{text}\n}}\n\n{join}\n'
    )
    done = run(tmp_path, "m.go:6", "--no-tests")
    assert "+        strconv.Itoa(id)," in done.stdout, done.stderr
    assert '+import "strconv"' in done.stdout
    assert run(tmp_path, "m.go:7", "--no-tests").returncode == 2


def test_bad_input_gets_one_sentence(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    for arguments, code in (
        (("nothing.go:3",), 2),
        (("good.go",), 2),
        (("--force",), 2),
        (("--pattern", "no-such"), 2),
        (("./nothing",), 3),
    ):
        done = run(folder, *arguments)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.startswith("whyheap: ")


def test_changes_that_are_not_committed_are_not_written_over(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", "init", "-q"], cwd=folder, env=env, check=True)
    before = (folder / "good.go").read_bytes()
    done = run(folder, "--pattern", "error-per-call", "--no-tests", "--write", ".")
    assert done.returncode == 3
    assert "not committed: nothing was written" in done.stderr
    assert (folder / "good.go").read_bytes() == before
