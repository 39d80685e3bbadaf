"""The command line: one sentence for an error, the report alone on stdout, the contract's exit codes."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cli_runs import BOMB, CORRUPT, CPU, GOROUTINES, HEAP, HEAP_TEXT, SERVICE, Cli, serving
from whyheap import __version__
from whyheap.capture import load_capture
from whyheap.errors import FormatError, OutputError


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (HEAP[: len(HEAP) // 2], "cut short"),
        (HEAP[:12], "cut short"),
        (CORRUPT, "damaged"),
        (BOMB, "unpacks to more than"),
        (CPU, "CPU profile"),
        (GOROUTINES, "goroutine profile"),
        (b"", "empty"),
        (b"hello\n", ""),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (os.urandom(64), ""),
    ],
    ids=["truncated", "head", "corrupt", "bomb", "cpu", "goroutine", "empty", "text", "html", "random"],
)
@pytest.mark.parametrize("where", ["file", "url"])
def test_profiles_that_are_none(where: str, body: bytes, words: str, cli: Cli, tmp_path: Path) -> None:
    if where == "file":
        path = tmp_path / "some.pb.gz"
        path.write_bytes(body)
        ran = cli("why", path)
        name = str(path)
    else:
        with serving({"/debug/pprof/heap": body}) as url:
            ran = cli("why", f"{url}/debug/pprof/heap", "--seconds", "0")
            name = url
    sentence = ran.check_error(3)
    assert words in sentence
    assert name in sentence
    assert ran.out == ""


def test_a_service_without_pprof(cli: Cli) -> None:
    with serving({"/": b"<html>shop</html>"}) as url:
        sentence = cli("why", url, "--seconds", "0").check_error(3)
        assert sentence == f"{url} answers, but has no heap profile (404 at /debug/pprof/heap)."
    with serving({"/debug/pprof/heap": 500}) as url:
        assert "status 500" in cli("why", url, "--seconds", "0").check_error(3)
    with serving({"/debug/pprof/heap": 401}) as url:
        ran = cli("why", url, "--seconds", "0")
        assert "status 401" in ran.check_error(3)
        assert "--header" in ran.err


def test_nobody_listens(cli: Cli) -> None:
    with serving({}) as url:
        pass
    ran = cli("why", url)
    assert f"{url}/debug/pprof/heap cannot be reached" in ran.check_error(3)
    assert ran.out == ""


def test_secrets_in_an_address_are_not_repeated(cli: Cli) -> None:
    with serving({}) as url:
        pass
    ran = cli("why", url.replace("//", "//user:hunter2@"))
    ran.check_error(3)
    assert "hunter2" not in ran.err


def test_an_empty_profile_is_answered_with_a_gap(cli: Cli) -> None:
    with serving({"/debug/pprof/heap": b"heap profile: 0: 0 [0: 0] @ heap/1048576\n"}) as url:
        ran = cli("why", url, "--seconds", "0", "--format", "json")
    assert ran.code == 0
    assert any("no samples" in gap["reason"] for gap in json.loads(ran.out)["gaps"])


def test_no_go_but_packages(cli: Cli) -> None:
    for arguments in (["scan"], ["why"], ["why", "./..."], ["explain", "a.go:1", "."], ["scan", "--facts"]):
        ran = cli(*arguments)
        assert ran.check_error(3) == "there is no go command on PATH"
        assert "--go" in ran.err
        assert ran.out == ""


def test_no_go_but_bytes(cli: Cli, heap: Path) -> None:
    ran = cli("why", heap, "./...", "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    report = json.loads(ran.out)
    assert any("no go command" in gap["reason"] for gap in report["gaps"])
    assert report["totals"]["profile_bytes"] > 0
    with serving(SERVICE) as url:
        ran = cli("why", url, "--seconds", "0", "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    assert {"heap_alloc", "goroutines"} <= {gauge["name"] for gauge in json.loads(ran.out)["gauges"]}


def test_a_capture_answers_like_the_service_did(cli: Cli, tmp_path: Path) -> None:
    saved = tmp_path / "x.whyheap"
    with serving(SERVICE) as url:
        assert cli("why", url, "--seconds", "0", "-o", saved, "-o", "first.json").code == 0
    first_report = json.loads(Path("first.json").read_text())
    later = cli("why", saved, "--format", "json")
    assert later.code == 0
    report = json.loads(later.out)
    for part in ("verdict", "findings", "entry_points", "totals", "gauges"):
        assert report[part] == first_report[part], part
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600


def test_a_capture_of_a_newer_schema(cli: Cli, heap: Path, tmp_path: Path) -> None:
    saved = tmp_path / "x.whyheap"
    assert cli("why", heap, "-o", saved).code == 0
    with closing(sqlite3.connect(saved)) as database:
        database.execute("update meta set value = '99' where key = 'schema'")
        database.commit()
    ran = cli("why", saved)
    assert "schema 99" in ran.check_error(3)
    assert "newer whyheap" in ran.err
    saved.write_bytes(b"nonsense")
    assert "not a capture" in cli("why", saved).check_error(3)


@pytest.mark.parametrize("name", ["missing/x.html", "folder", "locked/x.html"])
def test_an_output_that_cannot_be_written(name: str, cli: Cli, heap: Path) -> None:
    Path("folder").mkdir()
    Path("locked").mkdir(mode=0o500)
    if name.startswith("locked") and os.access("locked", os.W_OK):
        return  # root may write everywhere
    ran = cli("why", heap, "-o", name, "--format", "html")
    ran.check_error(3)
    assert not Path("missing").exists()
    assert list(Path("locked").iterdir()) == list(Path("folder").iterdir()) == []


def test_an_output_that_fails_leaves_the_others_whole(cli: Cli, heap: Path) -> None:
    ran = cli("why", heap, "-o", "a.json", "-o", "missing/b.json", "-o", "c.json")
    ran.check_error(3)
    for written in Path().glob("*.json"):
        json.loads(written.read_text())
    assert not list(Path().glob(".*"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["why", "HEAP", "-o", "x.htlm"], "x.htlm"),
        (["why", "HEAP", "-o", "x"], "'x'"),
        (["why", "HEAP", "--format", "jsn"], "jsn"),
        (["scan", "-o", "x.folded"], "folded"),
        (["scna"], "there is no command 'scna'. Did you mean 'scan'?"),
        (["harden", "."], "'harden' is planned, but not built yet."),
        (["record", "http://127.0.0.1:1"], "record needs a file"),
        (["record", ".", "-o", "x.whyheap"], "no service or process was named to record"),
        (["xyzzy"], "there is no command 'xyzzy'."),
        (["why", "--sceonds", "3"], "--sceonds"),
        (["why", "HEAP", "--seconds", "soon"], "soon"),
        (["why", "HEAP", "--seconds", "-1"], "--seconds"),
        (["why", "HEAP", "--seconds", "nan"], "--seconds"),
        (["why", "HEAP", "--focus", "("], "--focus"),
        (["why", "HEAP", "--header", "novalue"], "--header"),
        (["why", "HEAP", "HEAP"], "more than one"),
        (["why", "pid:shop"], "pid:shop"),
        (["why", "k8s:shop"], "k8s:shop"),
        (["why", "--at", "now"], "--at belongs to a history"),
        (["why", "ftp://host/x"], "ftp://host/x"),
        (["why", "http://"], "http://"),
        (["why", "http://ho st"], "address"),
        (["why", "main.go"], "main.go"),
        (["explain", "nowhere"], "'nowhere'"),
        (["explain", "nowhere.go:3"], "nowhere.go"),
        (["explain"], "FILE:LINE"),
        (["patterns", "interface-boxin"], "interface-boxin"),
        (["causes", "live-heap-grow"], "live-heap-grow"),
        (["completion", "csh"], "csh"),
        (["scan", "--facts", "--format", "html"], "jsonl"),
        (["scan", "--facts", "--focus", "x"], "--focus"),
        (["scan", "--facts", "--redact"], "--redact"),
        (["why", "HEAP", "-o", "a.json", "-o", "b.json", "--format", "html"], "there are 2"),
        (["why", "HEAP", "-o", "a.whyheap", "--redact"], "--redact cannot clean a capture (a.whyheap)"),
        (["why", "HEAP", "--format", "whyheap", "--redact"], "--redact cannot clean a capture"),
        (["why", "HEAP", "--config", "missing.toml"], "missing.toml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage_errors(arguments: list[str], words: str, cli: Cli, heap: Path) -> None:
    Path("main.go").write_text("package main\n")
    ran = cli(*(str(heap) if argument == "HEAP" else argument for argument in arguments))
    assert words in ran.check_error(2)
    assert ran.out == ""
    assert {path.name for path in Path().iterdir()} == {"main.go"}


def test_the_nearest_slug_and_suffix_are_suggested(cli: Cli, heap: Path) -> None:
    assert "interface-boxing" in cli("patterns", "interface-boxin").err
    assert "live-heap-growth" in cli("causes", "live-heap-grow").err
    assert ".html" in cli("why", heap, "-o", "x.htlm").err


@pytest.mark.parametrize("target", ["missing.pb.gz", "missing.whyheap", "./missing", "/nonexistent/dir/..."])
def test_targets_that_are_not_there(target: str, cli: Cli) -> None:
    ran = cli("why", target)
    ran.check_error(3)


def test_alone_it_shows_the_five_commands_that_matter(cli: Cli) -> None:
    ran = cli()
    assert (ran.code, ran.err) == (0, "")
    assert re.findall(r"^  whyheap (\w+)", ran.out, re.MULTILINE) == ["why", "record", "scan", "explain", "doctor"]
    assert cli("--version").out == f"whyheap {__version__}\n"


def test_every_command_has_help_and_says_what_it_takes(cli: Cli) -> None:
    listed = re.findall(r"^  ([a-z]+) ", cli("--help").out.partition("Commands:")[2], re.MULTILINE)
    assert {"why", "scan", "explain", "patterns", "causes", "doctor"} <= set(listed)
    for name in listed:
        ran = cli(name, "--help")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith(f"Usage: whyheap {name} ")


def test_the_catalogues(cli: Cli) -> None:
    for command in ("patterns", "causes"):
        listed = cli(command)
        assert (listed.code, listed.err) == (0, "")
        slugs = re.findall(r"^ ([a-z]+(?:-[a-z]+)+) ", listed.out, re.MULTILINE)
        assert len(slugs) >= 3
        for slug in slugs[:3]:
            page = cli(command, slug)
            assert page.code == 0
            assert page.out.startswith(f" {slug}: ")


def test_doctor_says_what_is_missing(cli: Cli) -> None:
    ran = cli("doctor")
    assert (ran.code, ran.err) == (0, "")
    assert re.search(r"missing +go +there is no go command on PATH\n +\S", ran.out)


def test_stdout_carries_the_report_only_and_files_are_extra(cli: Cli, heap: Path) -> None:
    plain = cli("why", heap)
    assert (plain.code, plain.err) == (0, "")
    both = cli("why", heap, "-v", "-o", "x.json", "-o", "x.html", "-o", "x.folded")
    assert both.out == plain.out
    assert all(line.startswith("whyheap: ") for line in both.err.splitlines())
    assert {path.name for path in Path().iterdir()} == {"x.json", "x.html", "x.folded"}
    assert "\x1b" not in plain.out


def test_a_dash_is_stdout(cli: Cli, heap: Path) -> None:
    assert json.loads(cli("why", heap, "-o", "-", "--format", "json").out)["schema"] == 1


def test_the_same_command_twice_gives_the_same_bytes(cli: Cli, heap: Path) -> None:
    for form in ("text", "json", "html", "folded"):
        assert cli("why", heap, "--format", form).out == cli("why", heap, "--format", form).out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    ran = cli("completion", shell)
    assert (ran.code, ran.err) == (0, "")
    assert "_WHYHEAP_COMPLETE" in ran.out
    found = next((path for path in (f"/usr/bin/{shell}", f"/bin/{shell}") if Path(path).exists()), None)
    if found is not None:
        checked = subprocess.run([found, "-n"], input=ran.out, text=True, capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")


def test_completion_completes_commands_and_options() -> None:
    for words, wanted in (("whyheap sc", "scan"), ("whyheap why --for", "--format")):
        env = {
            **os.environ,
            "_WHYHEAP_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        }
        done = subprocess.run(
            [Path(sys.executable).with_name("whyheap")], env=env, capture_output=True, text=True, check=False
        )
        assert f"plain,{wanted}\n" in done.stdout, done.stderr


def whyheap(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "whyheap", *arguments]


@pytest.mark.parametrize("arguments", [["--help"], ["why", "--help"], ["scan", "--help"], ["explain", "--help"]])
def test_help_is_light(arguments: list[str]) -> None:
    program = (
        f"import sys\nfrom whyheap.cli.main import main\nmain({arguments})\n"
        "heavy = {'numpy', 'rich', 'jinja2', 'msgspec', 'asyncio', 'socket', 'ssl', 'sqlite3', 'subprocess',\n"
        "         'whyheap.app', 'whyheap.join'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_has_gone(heap: Path) -> None:
    for arguments in (("why", str(heap), "--format", "html"), ("patterns",), ("--help",)):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(whyheap(*arguments), stdout=write, stderr=subprocess.PIPE, text=True, check=False)
        os.close(write)
        assert (done.returncode, done.stderr) == (0, ""), arguments


@pytest.mark.parametrize("arguments", [["why", "HEAP"], ["patterns"], ["--help"]])
def test_a_full_disk(arguments: list[str], heap: Path) -> None:
    command = whyheap(*(str(heap) if argument == "HEAP" else argument for argument in arguments))
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith("whyheap: standard output could not be written: No space left on device.\n  ")
    assert len(done.stderr.splitlines()) == 2


def test_closed_streams(heap: Path) -> None:
    for closed, code, said in ((">&-", 3, "whyheap: standard output is closed."), ("2>&-", 0, "")):
        shell = ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *whyheap("why", str(heap))]
        done = subprocess.run(shell, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.partition("\n")[0]) == (code, said)
        assert bool(done.stdout) is (code == 0)


def test_what_the_system_refuses_is_said_with_its_path(cli: Cli, heap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(Path.cwd() / "secret"))

    monkeypatch.setattr("whyheap.app.gather.gather", refuse)
    assert cli("why", heap).check_error(3) == f"{Path.cwd() / 'secret'}: Permission denied."
    gone = Path("gone").resolve()
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert cli("scan").check_error(3) == "the current folder does not exist any more."


@pytest.mark.parametrize("error", [KeyboardInterrupt, FormatError("no", "sense")])
def test_a_capture_outlives_an_error_while_judging(
    error: BaseException | type[BaseException], cli: Cli, heap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("whyheap.app.analyse.analyse", fail)
    ran = cli("why", heap, "-o", "x.whyheap", "-o", "x.json")
    assert ran.code in {3, 130}
    assert "kept what was gathered in x.whyheap" in ran.err
    assert load_capture(Path("x.whyheap")).profiles
    assert not Path("x.json").exists()


def test_a_capture_outlives_an_error_while_rendering(cli: Cli, heap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OutputError("the page is not built")

    monkeypatch.setattr("whyheap.report.to_html.to_html", fail)
    assert "not built" in cli("why", heap, "-o", "x.html", "-o", "x.whyheap").check_error(3)
    assert load_capture(Path("x.whyheap")).profiles


def test_redacted_reports_name_no_host_and_no_folder(cli: Cli) -> None:
    folders = ("/home/", "/root/", "/work/", "/usr/", "127.0.0.1")
    heap = "/debug/pprof/heap"
    with serving({**SERVICE, f"{heap}?debug=1": HEAP_TEXT}) as url:
        plain = cli("why", url, "--seconds", "0", "--format", "json").out
        assert any(folder in plain for folder in folders)
        for form in ("json", "text", "html", "speedscope", "folded"):
            ran = cli("why", url, "--seconds", "0", "--format", form, "--redact")
            assert ran.code == 0
            assert not [folder for folder in folders if folder in ran.out], form


@pytest.mark.live
def test_odd_locales_and_terminals(heap: Path) -> None:
    for env in ({"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"COLUMNS": "20"}, {"TERM": "dumb"}, {"COLUMNS": "x"}):
        done = subprocess.run(whyheap("why", str(heap)), env={**os.environ, **env}, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b""), env
        done = subprocess.run(whyheap("patterns"), env={**os.environ, **env}, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b""), env
