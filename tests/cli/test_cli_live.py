"""The command line with a real go command: what cannot be compiled, and what is interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

from cli_runs import HEAP, SERVICE, Cli, serving
from go_module import GO_MOD, cli_in, write_files
from toolchains import environment
from whyheap.capture import load_capture
from whyheap.collect import compiler

pytestmark = pytest.mark.live

MODULE = {
    "go.mod": GO_MOD,
    "good/good.go": "package good\n\nfunc New(n int) *int { return &n }\n",
    "also/also.go": 'package also\n\nimport "example.com/shop/good"\n\nvar Kept = good.New(1)\n',
}
BROKEN = "package bad\n\nfunc F() int { return missing }\n"


@pytest.fixture
def cli(cache: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run in a small module that compiles."""
    return cli_in(write_files(tmp_path / "shop", MODULE), cache, capsys, monkeypatch)


def add(name: str, text: str) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(text)


def test_not_a_module(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (["scan"], ["scan"], ["why"], ["why", "./..."], ["why", "./..."], ["scan", "--facts"]):
        ran = cli(*arguments)
        assert "module" in ran.check_error(3)
        assert "Run it inside a Go module" in ran.err
        assert ran.out == ""


def test_what_compiles_is_scanned_and_what_does_not_is_named(cli: Cli) -> None:
    add("bad/bad.go", BROKEN)
    add("uses/uses.go", 'package uses\n\nimport "example.com/shop/bad"\n\nvar N = bad.F()\n')
    for _ in range(2):
        ran = cli("scan", "--format", "json")
        assert ran.check_error(3) == "2 of 4 packages could not be built: bad/bad.go:3:23: undefined: missing"
        report = json.loads(ran.out)
        assert [finding["site"]["file"] for finding in report["findings"]] == ["also/also.go", "good/good.go"]
        assert len(report["gaps"]) == 2
    facts = cli("scan", "--facts")
    facts.check_error(3)
    assert '"package":"example.com/shop/good"' in facts.out
    why = cli("why", "./...", "--format", "json")
    why.check_error(3)
    assert json.loads(why.out)["findings"]


def test_folders_without_code_are_no_error(cli: Cli) -> None:
    add("onlytests/x_test.go", 'package onlytests\n\nimport "testing"\n\nfunc TestX(t *testing.T) {}\n')
    add("windows/x_windows.go", "package windows\n")
    add("docs/doc.go", "// Package docs has no code.\npackage docs\n")
    ran = cli("scan", "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["gaps"] == []
    assert cli("scan", "--tests", "./onlytests").code == 0


def test_nothing_compiles(cli: Cli) -> None:
    add("bad/bad.go", BROKEN)
    for arguments in (["scan", "./bad"], ["scan", "./bad"], ["why", "./bad"], ["explain", "bad/bad.go:3"]):
        ran = cli(*arguments)
        assert "bad/bad.go:3:23: undefined: missing" in ran.check_error(3)
        assert ran.out == ""
    add("bad/bad.go", BROKEN.replace("missing", "1"))
    assert cli("scan", "./bad").code == 0, "mended, and seen at once"


@pytest.mark.parametrize("target", ["./nothere", "./nothere/...", "example.com/other", "./go.mod/..."])
def test_packages_that_are_not_there(target: str, cli: Cli) -> None:
    for command in ("scan", "why"):
        ran = cli(command, target)
        ran.check_error(3)
        assert ran.out == ""


@pytest.mark.parametrize("go", ["/nonexistent/go", "1.22.x", "3", "/etc/passwd"])
def test_a_go_that_is_none(go: str, cli: Cli) -> None:
    ran = cli("scan", "--go", go)
    assert ran.code in {2, 3}
    ran.check_error(ran.code)
    assert ran.out == ""


def test_a_bad_service_does_not_hide_the_scan(cli: Cli) -> None:
    with serving({}) as url:
        ran = cli("why", "./...", url, "--seconds", "0", "--format", "json")
    assert "404" in ran.check_error(3)
    assert json.loads(ran.out)["findings"]


def test_explain_takes_names_as_people_type_them(cli: Cli) -> None:
    for place in ("good/good.go:3", "./good/good.go:3", "good.go:3", str(Path("good/good.go").resolve()) + ":3"):
        ran = cli("explain", place)
        assert (ran.code, ran.err) == (0, "")
        assert "good" in ran.out
        assert "New" in ran.out, place


def test_explain_from_a_subfolder_and_of_one_name_of_two(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    add("other/good.go", "package other\n\nfunc Other(n int) *int { return &n }\n")
    assert "good/good.go, other/good.go" in cli("explain", "good.go:3").check_error(2)
    assert "good/good.go, other/good.go" in cli("explain", "good.go:3", "./...").check_error(2)
    assert "Other" in cli("explain", "other/good.go:3", "./...").out
    monkeypatch.chdir("also")
    for place in ("good/good.go:3", "../good/good.go:3"):
        ran = cli("explain", place)
        assert (ran.code, ran.err) == (0, "")
        assert "New" in ran.out, place


def test_several_outputs_of_one_scan_compile_once(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    once = Mock(wraps=compiler.compile_packages)
    monkeypatch.setattr(compiler, "compile_packages", once)
    assert cli("scan", "-o", "a.json", "-o", "b.html", "-o", "c.jsonl").code == 0
    assert once.call_count == 1
    assert json.loads(Path("a.json").read_text())["findings"]


def test_a_redacted_scan_names_no_folder_of_this_machine(cli: Cli) -> None:
    here = str(Path.cwd())
    assert here in cli("scan", f"{here}/...", "--format", "json").out
    for form in ("json", "html", "text"):
        ran = cli("scan", f"{here}/...", "--format", form, "--redact")
        assert (ran.code, ran.err) == (0, "")
        assert str(Path.cwd().parent) not in ran.out
        assert "good.go" in ran.out


def test_the_same_scan_twice_gives_the_same_bytes(cli: Cli) -> None:
    for arguments in (
        ["scan"],
        ["scan", "--facts"],
        ["why", "./...", "--format", "json"],
        ["scan", "--format", "html"],
    ):
        first, second = cli(*arguments), cli(*arguments)
        assert first == second
        assert (first.code, first.err) == (0, "")


def test_a_capture_of_a_scan_answers_without_go_and_without_the_source(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, profile = tmp_path / "x.whyheap", tmp_path / "heap.pb.gz"
    profile.write_bytes(HEAP)
    assert cli("why", "./...", profile, "-o", saved, "-o", tmp_path / "first.json").code == 0
    first = json.loads((tmp_path / "first.json").read_text())
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(tmp_path)
    Path("shop").rename(tmp_path / "gone")
    later = json.loads(cli("why", saved, "--format", "json").out)
    assert {name: value for name, value in later.items() if name != "targets"} == {
        name: value for name, value in first.items() if name != "targets"
    }


def started(arguments: list[str], folder: Path, **changes: str) -> tuple[subprocess.Popen[str], str]:
    """Start whyheap with a mark in the environment that all its children inherit."""
    mark = uuid.uuid4().hex
    env = environment(WHYHEAP_TEST_MARK=mark, **changes)
    command = [sys.executable, "-m", "whyheap", *arguments]
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    return process, mark


def marked(mark: str) -> list[str]:
    """Return the command lines of processes with the mark."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def interrupted(process: subprocess.Popen[str], number: signal.Signals = signal.SIGINT) -> str:
    begun = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number, err
    assert time.monotonic() - begun < 5, "about a second on a machine that is not busy"
    assert out == ""
    assert "Traceback" not in err
    assert err.splitlines()[-1] == "whyheap: interrupted"
    return err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_while_go_compiles_leaves_no_process_behind(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "gocache").mkdir()
    cache, go_cache = str(tmp_path / "cache"), str(tmp_path / "gocache")
    process, mark = started(["scan", "net/http"], tmp_path, WHYHEAP_CACHE=cache, GOCACHE=go_cache)
    wait_for(lambda: any("/compile " in command for command in marked(mark)))
    interrupted(process, number)
    wait_for(lambda: marked(mark) == [], 5)
    assert not [
        path for path in (tmp_path / "cache").rglob("*") if path.name in {"text", "listing"} or "json-" in path.name
    ]


def test_ctrl_c_while_a_service_is_observed_keeps_what_was_gathered(tmp_path: Path) -> None:
    saved = tmp_path / "x.whyheap"
    with serving(SERVICE) as url:
        process, mark = started(["why", url, "--seconds", "60", "-o", str(saved)], tmp_path)
        time.sleep(3)
        err = interrupted(process)
    assert f"kept what was gathered in {saved}" in err
    assert load_capture(saved).gauges
    assert marked(mark) == []


def test_ctrl_c_does_not_wait_for_a_service_that_hangs(tmp_path: Path) -> None:
    hang = threading.Event()
    with serving({**SERVICE, "/debug/pprof/heap?debug=1": hang, "/debug/pprof/heap": hang}) as url:
        process, _ = started(["why", url, "--seconds", "60"], tmp_path)
        time.sleep(3)
        interrupted(process)
        hang.set()


def test_ctrl_c_before_anything_was_gathered_writes_nothing(tmp_path: Path) -> None:
    process, _ = started(
        ["why", ".", "-o", str(tmp_path / "x.whyheap")],
        Path(__file__).parents[2] / "examples" / "oomshop",
        GOCACHE=str(tmp_path / "gocache"),
        WHYHEAP_CACHE=str(tmp_path / "cache"),
    )
    wait_for((tmp_path / "gocache").is_dir)
    interrupted(process)
    assert not (tmp_path / "x.whyheap").exists()
    assert not list(tmp_path.glob("*.part"))
