"""`whyheap explain` on real code: every kind of line, the standard library, and the same ids as a scan."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Cli
from go_module import GO_MOD, cli_in, write_files
from toolchains import newest, oldest

pytestmark = pytest.mark.live

SOURCE = """package main

import "fmt"

type Row struct{ a, b, c int }

type putter interface{ put(*Row) }

var sink []*Row

func main() { fmt.Println(render(3), keepAll(1)) }

func render(n int) string { return fmt.Sprintf("%d", n) }

func keep(r *Row) { sink = append(sink, r) }

func pass(r *Row) { keep(r) }

//go:noinline
func keepAll(n int) int {
	r := Row{a: n}
	pass(&r)
	return n
}

func dyn(p putter, n int) { p.put(&Row{a: n}) }

func fresh(n int) *Row { return &Row{a: n} }

func caller(n int) *Row { return fresh(n) }

func wrap[T any](v T) *T { return &v }

var one, two = wrap(1), wrap("s")

func never() any { return 7 }

func idle[T any](xs []T) []T { return append([]T(nil), xs...) }

func quiet(n int) int {
	m := n + 1
	return m
}
"""
LINES = {text.strip(): number for number, text in enumerate(SOURCE.split("\n"), 1)}


@pytest.fixture(params=[oldest(), newest()])
def cli(
    request: pytest.FixtureRequest,
    cache: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Cli:
    monkeypatch.setenv("COLUMNS", "80")
    write_files(tmp_path, {"go.mod": GO_MOD, "main.go": SOURCE})
    return cli_in(tmp_path, cache, capsys, monkeypatch, request.param)


def line_of(text: str) -> int:
    return next(number for line, number in LINES.items() if line.startswith(text))


def explained(cli: Cli, text: str) -> Any:  # JSON
    ran = cli("explain", f"main.go:{line_of(text)}", "--format", "json")
    assert ran.code == 0, ran
    return json.loads(ran.out)


def test_every_line_has_an_answer_that_fits(cli: Cli) -> None:
    scanned = json.loads(cli("scan", "--format", "json").out)["findings"]
    seen = []
    for line in range(1, SOURCE.count("\n") + 2):
        ran = cli("explain", f"main.go:{line}")
        assert ran.code == 0, ran
        assert all(len(row) <= 80 for row in ran.out.splitlines()), ran.out
        data = json.loads(cli("explain", f"main.go:{line}", "--format", "json").out)
        seen += data["findings"]
    wanted = {(one["id"], one["pattern"], one["root"], one["agreement"]) for one in scanned}
    assert {(one["id"], one["pattern"], one["root"], one["agreement"]) for one in seen} == wanted


def test_boxing_as_a_colleague_tells_it(cli: Cli) -> None:
    data = explained(cli, "func render")
    [finding] = [one for one in data["findings"] if one["subject"] == "n"]
    told = [step["text"] for step in finding["paths"][0]]
    assert told[:2] == [
        "fmt.Sprintf takes ...any, so n is stored in an interface",
        "the interface goes into the argument slice",
    ]
    assert told[2].startswith("fmt.Sprintf keeps it")
    assert told[-1] == "so n must outlive render: it is copied to the heap"
    assert finding["may_do_without"][0]["callee"] == "runtime.convT64"
    assert "below 256" in finding["may_do_without"][0]["when"]
    assert data["functions"][0]["symbol"] == "main.render"
    out = cli("explain", f"main.go:{line_of('func render')}").out
    for words in ("CALL runtime.convT64", "whyheap patterns variadic-any", "main.render  amd64", "  > +0x"):
        assert words in out, words


def test_the_path_crosses_functions(cli: Cli) -> None:
    data = explained(cli, "r := Row{a: n}")
    [finding] = data["findings"]
    [path] = finding["paths"]
    callees = [step["line"] for step in path if step["stage"] == "callee"]
    assert callees, path
    assert set(callees) <= {line_of("func pass"), line_of("func keep(")}
    assert (path[0]["stage"], path[-1]["stage"]) == ("storage", "heap")
    [listing] = data["machine_code"]
    [call] = [one for one in listing["instructions"] if one["allocates_here"]]
    assert call["callee"].startswith("runtime.")
    assert call["line"] == line_of("r := Row{a: n}")
    assert [one["allocates"] for one in data["functions"]] == ["always"]


def test_kinds_of_lines(cli: Cli) -> None:
    def text(start: str) -> str:
        return " ".join(cli("explain", f"main.go:{line_of(start)}").out.split())

    assert "called through an interface" in text("func dyn")
    assert "Code that is inlined here allocates" in text("func caller")
    assert "but no allocator call is left here" in text("func never")
    assert "no witness knows of an allocation" in text("m := n + 1")
    assert "idle is generic and no scanned package instantiates it" in text("func idle")
    assert "has no code: the nearest lines with code are" in text("type putter")
    assert "main.wrap[go.shape.int]" in text("func wrap")
    assert f"main.go has {SOURCE.count(chr(10))} lines: there is no line 999" in cli("explain", "main.go:999").out


def test_the_whole_function_and_another_architecture(cli: Cli) -> None:
    ran = cli("explain", f"main.go:{line_of('func fresh')}", "--asm", "--goarch", "arm64")
    assert "main.fresh  arm64" in ran.out
    assert ran.out.count("\n    +0x") + ran.out.count("\n  > +0x") > 15
    assert "--asm: all" not in ran.out
    assert "RET" in ran.out


@pytest.mark.usefixtures("cli")
def test_a_line_of_the_standard_library() -> None:
    def whyheap(*arguments: str) -> Any:  # JSON
        command = [sys.executable, "-m", "whyheap", *arguments, "--format", "json"]
        return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=200).stdout)

    found = whyheap("scan", "net/http", "--focus", "net/http/server.go")["findings"]
    findings = [one for one in found if one["site"]["file"] == "net/http/server.go"]
    assert len(findings) > 20
    for finding in findings[:: len(findings) // 6]:
        data = whyheap("explain", f"net/http/server.go:{finding['site']['line']}", "net/http")
        assert finding["id"] in {one["id"] for one in data["findings"]}
        assert all(path[-1]["stage"] == "heap" for one in data["findings"] for path in one["paths"])
        assert data["machine_code"] is not None


def test_rules_of_a_module_are_applied(cli: Cli) -> None:
    rules = Path(".whyheap", "rules")
    rules.mkdir(parents=True)
    (rules / "a.yml").write_text(
        "id: box\nmessage: '$F boxes'\nrequires: heap\nrule: {pattern: 'fmt.Sprintf($F, $A)'}\n---\n"
        "id: made\nmessage: made\nrequires: allocates\nrule: {kind: short_var_declaration}\n---\n"
        "id: wrong\nmessage: m\nrule: {kind: nope}\n"
    )
    ran = cli("scan", "--format", "json")
    assert ran.code == 2
    assert ".whyheap/rules/a.yml:13: ast-grep does not take it" in ran.err
    report = json.loads(ran.out)
    found = {(one["pattern"], one["site"]["line"]) for one in report["findings"] if one["pattern"].startswith("rule:")}
    assert found == {("rule:box", line_of("func render")), ("rule:made", line_of("r := Row{a: n}"))}
    assert report["totals"]["heap_sites"] == sum(not one["pattern"].startswith("rule:") for one in report["findings"])
    assert cli("scan", "--format", "json").out == ran.out
    assert "rule:box" in cli("patterns").out
