"""`whyheap diff REV REV` on a repository with a history, by the real compiler and real benchmarks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from git_history import commit, git, repository
from go_module import GO_MOD
from toolchains import environment, go, newest, oldest
from whyheap.collect.test_binary import build_tests
from whyheap.host.go import find_go
from whyheap.model.benchmark import BenchmarkChange
from whyheap.proof.benchmarks import compare

pytestmark = pytest.mark.live

WHYHEAP = Path(sys.executable).with_name("whyheap")
KEEP = """package shop

var kept any

//go:noinline
func Boxed(n int) { kept = n }

//go:noinline
func Plain(n int) int { return n + 1 }
"""
CHANGED = """package shop

import "strconv"

var kept any

// Moved is new, and so are its lines.
//
//go:noinline
func Moved(n int) string { return strconv.Itoa(n) + "!" }

//go:noinline
func Boxed(n int) { kept = n }

//go:noinline
func Plain(n int) int {
	p := new(int)
	*p = n
	kept = p
	return n + 1
}
"""
TESTS = """package shop

import "testing"

func BenchmarkPlain(b *testing.B) {
	for i := 0; i < b.N; i++ {
		Plain(i)
	}
}

func BenchmarkBoxed(b *testing.B) {
	for i := 0; i < b.N; i++ {
		Boxed(123456)
	}
}
"""
OK_TESTS = """package ok

import "testing"

func BenchmarkOk(b *testing.B) {
	for i := 0; i < b.N; i++ {
	}
}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = repository(tmp_path_factory.mktemp("history") / "shop")
    commit(folder, {"go.mod": GO_MOD, "shop.go": KEEP, "shop_test.go": TESTS, "ok/ok.go": "package ok\n"})
    git(folder, "tag", "old")
    commit(folder, {"shop.go": f"// Package shop sells.\n\n\n{KEEP}"})
    git(folder, "tag", "moved")
    commit(folder, {"shop.go": CHANGED})
    git(folder, "tag", "new")
    commit(folder, {"ok/ok.go": "package ok\n\nfunc F() { x }\n"})
    git(folder, "tag", "broken")
    git(folder, "checkout", "-q", "-b", "topic", "new")
    return folder


def whyheap(root: Path, cache: Path, *words: str, version: str | None = None) -> subprocess.CompletedProcess[str]:
    env = environment(version) | {"WHYHEAP_CACHE": str(cache), "COLUMNS": "80", "GOFLAGS": ""}
    return subprocess.run([WHYHEAP, "diff", *words], cwd=root, env=env, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("version", [oldest(), newest()])
def test_what_a_commit_adds(root: Path, cache: Path, version: str) -> None:
    said = whyheap(root, cache, "old..new", "--format", "json", version=version)
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    assert found["go"] == f"go{version}"
    added = {(one["site"]["function"], one["change"]) for one in found["changes"]}
    assert added == {("Moved", "added"), ("Plain", "added")}
    lines = CHANGED.splitlines()
    assert all(one["source"] == lines[one["site"]["line"] - 1].strip() for one in found["changes"])


def test_nothing_that_only_moved(root: Path, cache: Path) -> None:
    nothing = json.loads(whyheap(root, cache, "old", "moved", "--format", "json").stdout)
    assert nothing["changes"] == []
    assert nothing["totals"]["heap_sites"][0] == nothing["totals"]["heap_sites"][1] > 0


def test_benchmarks_of_both_revisions(root: Path, cache: Path) -> None:
    words = ("old", "new", "--bench", "Plain|Boxed", "--rounds", "6", "--benchtime", "20000x")
    found = json.loads(whyheap(root, cache, *words, "--format", "json").stdout)
    told = {
        (one["benchmark"].partition("-")[0], one["unit"]): (
            one["change"],
            one["before"]["median"],
            one["after"]["median"],
        )
        for one in found["benchmarks"]
        if one["unit"] != "ns/op"
    }
    assert told["BenchmarkPlain", "allocs/op"] == ("more", 0.0, 1.0)
    assert told["BenchmarkPlain", "B/op"] == ("more", 0.0, 8.0)
    for unit, value in (("allocs/op", 1.0), ("B/op", 8.0)):
        change, *medians = told["BenchmarkBoxed", unit]
        assert medians == [value, value]
        assert change in {"equal", "unsure"}  # what the runtime allocates meanwhile counts too


def test_a_benchmark_that_fails_costs_only_itself(root: Path, cache: Path) -> None:
    git(root, "checkout", "-q", "-b", "failing", "new")
    commit(root, {"ok/ok_test.go": OK_TESTS})
    git(root, "tag", "fine")
    commit(root, {"ok/ok_test.go": OK_TESTS.replace("for i", 'b.Fatal("no luck")\n\tfor i')})
    git(root, "tag", "failing-bench")
    git(root, "checkout", "-q", "topic")
    said = whyheap(root, cache, "fine", "failing-bench", "./ok", "--bench", "Ok", "--rounds", "1")
    assert said.returncode == 3
    assert "no site is added, removed or changed" in said.stdout
    assert "BenchmarkOk (failing-bench) failed; its last lines:" in said.stderr
    assert "no luck" in said.stderr


def test_a_package_that_does_not_build_is_left_out_and_named(root: Path, cache: Path) -> None:
    said = whyheap(root, cache, "new", "broken")
    assert said.returncode == 3
    assert "no site is added, removed or changed" in said.stdout
    assert "broken" in said.stderr
    assert "example.com/shop/ok could not be built: ok/ok.go:3:12: undefined: x" in said.stderr
    alone = whyheap(root, cache, "new", "broken", "./ok")
    assert (alone.returncode, alone.stdout) == (3, "")
    assert "broken" in alone.stderr


def test_the_working_tree_against_a_revision(root: Path, cache: Path) -> None:
    file = root / "shop.go"
    file.write_text(KEEP)
    (root / "new.txt").write_text("not added\n")
    before = git(root, "status", "--porcelain")
    try:
        said = whyheap(root, cache, "HEAD", "-o", "-", "-o", str(cache / "comment.md"))
        assert said.returncode == 0, said.stderr
        assert "sites removed" in said.stdout
        assert "working tree differs from HEAD in 2 files" in " ".join(said.stdout.split())
        assert max(map(len, said.stdout.splitlines())) <= 80
        assert "<details>" in (cache / "comment.md").read_text()
        dirty = whyheap(root, cache, "old", "HEAD")
        assert "2 files with changes that are not committed are not in it" in " ".join(dirty.stdout.split())
        assert git(root, "status", "--porcelain") == before
    finally:
        git(root, "checkout", "-q", "shop.go")
        (root / "new.txt").unlink()


def test_a_folder_that_only_one_revision_has(root: Path, cache: Path) -> None:
    (root / "extra").mkdir()
    head = commit(root, {"extra/extra.go": "package extra\n\nfunc F() *int { return new(int) }\n"})
    found = json.loads(whyheap(root, cache, "new", head, "./extra", "--format", "json").stdout)
    assert [one["change"] for one in found["changes"]] == ["added"]
    assert any("has no ./extra" in gap["reason"] for gap in found["gaps"])


def test_interrupted_it_leaves_nothing(root: Path, cache: Path) -> None:
    env = environment() | {"WHYHEAP_CACHE": str(cache), "GOFLAGS": "", "TMPDIR": str(cache)}
    command = [WHYHEAP, "diff", "old", "new", "--bench", ".", "--rounds", "900", "--benchtime", "1s"]
    process = subprocess.Popen(
        [str(word) for word in command], cwd=root, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 120
    while not list(cache.glob("whyheap-bench-*/after.test")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert [path.name for path in cache.glob("revisions/*/*")] == ["lock"]
    assert list(cache.glob("whyheap-*")) == []


def test_two_builds_of_one_package_by_an_overlay(root: Path, tmp_path: Path) -> None:
    git(root, "checkout", "-q", "new")
    tool = find_go(str(go(newest())), {"GOTOOLCHAIN": "local", "GOFLAGS": ""})
    (tmp_path / "fixed.go").write_text(CHANGED.replace("\tkept = p\n", ""))
    overlay = tmp_path / "overlay.json"
    overlay.write_text(json.dumps({"Replace": {str(root / "shop.go"): str(tmp_path / "fixed.go")}}))
    before, after = tmp_path / "before.test", tmp_path / "after.test"
    assert build_tests(tool, ".", root, before)
    assert build_tests(tool, ".", root, after, overlay=overlay)
    assert not build_tests(tool, "./ok", root, tmp_path / "none.test")
    found = compare(before, after, "Plain", 4, folder=root, benchtime="20000x", env=dict(os.environ))
    told = [(one.unit, one.before.median, one.after.median) for one in found[:2] if one.before and one.after]
    assert told == [("allocs/op", 1.0, 0.0), ("B/op", 8.0, 0.0)]
    assert found[0].change is BenchmarkChange.LESS
    assert found[0].p == pytest.approx(2 / 70)  # two of the ways to choose 4 of 8
