"""The cache of facts against a real go command: what fails, changes or vanishes makes no answer wrong."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import msgspec
import pytest

from go_module import write_files
from toolchains import environment, go, newest, oldest
from whyheap.app.gather import WhyRequest, gather
from whyheap.collect.compiler import ScanOptions, compile_packages
from whyheap.errors import ToolError
from whyheap.host.go import GoTool

pytestmark = pytest.mark.live

FILES = {
    "go.mod": "module example.com/m\n\ngo 1.21\n",
    "p/p.go": "package p\n\nfunc New(n int) *int { return &n }\n",
    "p/p_test.go": "package p_test\n\nvar kept *int\n\nfunc keep(n int) { kept = &n }\n",
    "q/q.go": 'package q\n\nimport "example.com/m/p"\n\nfunc New() *int { return p.New(1) }\n',
    "q/empty/doc.go": "// Package empty has no code.\npackage empty\n",
}
PROFILE = Path(__file__).resolve().parent.parent / "recorded/profiles/go1.27.3/heap.pb.gz"


class Shop:
    """A module that is scanned by a go command with something done before a numbered compile."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.root = base / "m"
        self.cache = base / "our cache"
        write_files(self.root, FILES)
        time.sleep(0.05)  # older than the scan, as far as the clock for files can tell

    def go(self, compile_number: int = 0, action: str = "", version: str | None = None) -> GoTool:
        """Return a go command that runs the shell words `action` before its n-th compile."""
        command = go(version)
        if action:
            command = self.base / "shim"
            count = self.base / "count"
            count.write_text("")
            command.write_text(
                f'#!/bin/sh\ncase "$*" in *-export*) echo >> {count}\n'
                f'[ $(wc -l < {count}) = {compile_number} ] && {{ {action}; }} ;; esac\nexec {go(version)} "$@"\n'
            )
            command.chmod(0o755)
        return GoTool(str(command), environment(version, GOFLAGS="", GOWORK=""))

    def scan(self, by: GoTool | None = None, *, tests: bool = False) -> tuple[set[str], set[str]]:
        """Return what is on the heap, and the packages that were not scanned."""
        scan = compile_packages(by or self.go(), ScanOptions(self.root, tests=tests)).load()
        heap = {
            f"{fact.printed_at} {fact.function}: {fact.message}"
            for package in scan.packages
            for fact in package.facts
            if fact.kind == "heap"
        }
        return heap, {package.package for package in scan.packages if package.error}

    def stored(self, package: str) -> list[Path]:
        return list(self.cache.glob(f"scan/*/facts/*{package}/*.facts"))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop(tmp_path)
    monkeypatch.setenv("WHYHEAP_CACHE", str(made.cache))
    return made


HEAP = {"p/p.go:3:10 New: moved to heap: n", "q/q.go:5:31 New: moved to heap: p.n"}


def test_what_fails_when_it_is_compiled_again_is_an_error(shop: Shop) -> None:
    assert shop.scan() == (HEAP, set())
    for file in shop.stored("p"):
        file.unlink()
    kill = shop.base / "kill"
    kill.write_text(
        '#!/bin/sh\ncase "$*" in *-V=full*) ;; *compile*"-p example.com/m/p "*) echo disk full >&2; exit 1;; esac\n'
        'exec "$@"\n'
    )
    kill.chmod(0o755)
    heap, failed = shop.scan(shop.go(2, f'shift; set -- list -toolexec={kill} "$@"'))
    assert failed == {"example.com/m/p"}
    assert heap == {fact for fact in HEAP if fact.startswith("q/")}
    assert not shop.stored("p")
    assert shop.scan() == (HEAP, set())


@pytest.mark.parametrize("compile_number", [1, 2])
def test_what_is_edited_while_go_runs_is_not_kept(shop: Shop, compile_number: int) -> None:
    assert shop.scan() == (HEAP, set())
    for file in shop.stored("p"):
        file.unlink()
    source = shop.root / "p/p.go"
    text = source.read_text()
    shop.scan(shop.go(compile_number, f"sed -i 's/^func/\\n\\nfunc/' {source}"))
    assert not shop.stored("p")
    source.write_text(text)
    assert shop.scan() == (HEAP, set())
    time.sleep(0.05)
    assert shop.scan() == (HEAP, set())
    assert shop.stored("p"), "kept once the file is older than the scan"


def test_test_packages_are_compiled_again(shop: Shop) -> None:
    expected = shop.scan(tests=True)
    assert any(fact.startswith("p/p_test.go") for fact in expected[0])
    for file in shop.stored(""):
        file.unlink()
    assert shop.scan(tests=True) == expected


def test_what_vanishes_after_the_scan_is_compiled_again(shop: Shop) -> None:
    compiled = compile_packages(shop.go(), ScanOptions(shop.root))
    lines = b"".join(compiled.fact_lines())
    for file in shop.stored(""):
        file.unlink()
    assert b"".join(compiled.fact_lines()) == lines
    for file in shop.stored(""):
        data = file.read_bytes()
        file.write_bytes(data[:16] + b"\xc1" * (len(data) - 16))  # as long as before
    scan = compiled.load()
    assert sum(fact.kind == "heap" for package in scan.packages for fact in package.facts) == len(HEAP)
    shutil.rmtree(shop.cache)  # and with it the name that ties go's cache to ours
    with pytest.raises(ToolError, match="vanished"):
        compiled.load()


@pytest.mark.parametrize("version", [oldest(), newest()])
def test_a_cache_folder_with_a_space(shop: Shop, version: str) -> None:
    rows = list(compile_packages(shop.go(version=version), ScanOptions(shop.root)).fact_lines())
    assert any(msgspec.json.decode(line)["inlined_at"] for part in rows for line in part.splitlines()), "from JSON"
    assert not list(shop.cache.glob("scan/*/json-*"))


def test_leftovers_of_interrupted_scans_are_removed(shop: Shop) -> None:
    shop.scan()
    (folder,) = (shop.cache / "scan").iterdir()
    (folder / "json-0123456789ab/p").mkdir(parents=True)
    (shop.root / "p/p.go").write_text("package p\n\nfunc New(n int) *int { return nil }\n")
    shop.scan()
    assert not list(folder.glob("json-*"))


def test_a_cache_that_cannot_be_written(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYHEAP_CACHE", "/dev/null/cache")
    with pytest.raises(ToolError, match="the cache folder /dev/null/cache cannot be written") as caught:
        shop.scan()
    assert caught.value.hint == "Set WHYHEAP_CACHE to a writable folder"
    request = WhyRequest(("./...", str(PROFILE)), shop.root, go=str(go()), go_env=environment())
    gathered = gather(request)
    assert not gathered.failures
    (gap,) = [gap for gap in gathered.capture.gaps if gap.witness == "compiler"]
    assert "cannot be written" in gap.reason


def test_tests_of_a_program_cost_no_fact_of_it(shop: Shop) -> None:
    (shop.root / "cmd").mkdir()
    (shop.root / "cmd/main.go").write_text("package main\n\nvar kept *int\n\nfunc main() { n := 1; kept = &n }\n")
    tests = 'package main\n\nimport "testing"\n\nfunc TestX(t *testing.T) { n := 2; kept = &n; main() }\n'
    (shop.root / "cmd/main_test.go").write_text(tests)
    time.sleep(0.05)
    alone, _ = shop.scan()
    with_tests, _ = shop.scan(tests=True)  # the program's own build is replayed, its test's is new: both are "main"
    assert "cmd/main.go:5:15 main: moved to heap: n" in alone
    assert alone < with_tests
    assert "cmd/main_test.go:5:28 TestX: moved to heap: n" in with_tests
