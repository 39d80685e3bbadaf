"""Archives that a second process reads: what it leaves, that it is waited for, and that nothing hangs on it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from whyheap.collect import code_ahead
from whyheap.collect.code_ahead import CodeAhead
from whyheap.collect.code_store import CodeStore
from whyheap.collect.machine_code import CodeLibrary
from whyheap.host import second_process
from whyheap.parse.go_list import ListedPackage
from whyheap.parse.machine_code.line_notes import LineNotes
from whyheap.parse.source_path import SourceNames

RECORDED = Path(__file__).resolve().parents[1] / "recorded" / "archives"
MODULE = "example.com/archive.v3"
NAMES = SourceNames("/module", ((MODULE, "/module"),), "/goroot", "/modcache")
PACKAGES = [
    ListedPackage(f"{MODULE}/{name}", BuildID=name, Export=str(RECORDED / f"{name}-go1.22.10-amd64.a"))
    for name in ("shop", "user")
]


@pytest.fixture
def ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CodeAhead:
    monkeypatch.setattr(code_ahead, "_WORTHWHILE_BYTES", 0)
    monkeypatch.setattr(second_process, "cores", lambda: 2)
    found = CodeAhead()
    found.start(PACKAGES, PACKAGES, CodeStore(tmp_path / "ahead"), NAMES)
    return found


def ended(ahead: CodeAhead) -> bool:
    for _ in range(3000):
        if not ahead.is_reading(f"{MODULE}/user"):
            return True
        time.sleep(0.01)
    return False


def test_it_leaves_what_the_library_would_read(tmp_path: Path, ahead: CodeAhead) -> None:
    assert ended(ahead)
    store = CodeStore(tmp_path / "ahead")
    library = CodeLibrary(PACKAGES, NAMES, CodeStore(tmp_path / "here"))
    for package in PACKAGES:
        assert store.load(package.ImportPath, package.BuildID) == library.functions_of(package.ImportPath)
        assert store.load_lines(package.ImportPath, package.BuildID) == library.lines_of(package.ImportPath)


class Slow(CodeAhead):
    """Still reads what is asked for the first three times; then the store has it, or not."""

    def __init__(self, store: CodeStore, *, fails: bool) -> None:
        super().__init__()
        self.store, self.fails, self.asked = store, fails, 0

    def is_reading(self, package: str) -> bool:
        self.asked += 1
        if self.asked == 3 and not self.fails:
            self.store.save(package, PACKAGES[0].BuildID, ())
            self.store.save_lines(package, PACKAGES[0].BuildID, LineNotes())
        return self.asked <= 3


def test_what_is_being_read_is_waited_for(tmp_path: Path) -> None:
    store = CodeStore(tmp_path / "code")
    slow = Slow(store, fails=False)
    assert CodeLibrary(PACKAGES, NAMES, store, ahead=slow).functions_of(f"{MODULE}/shop") == ()
    assert slow.asked == 3


def test_what_it_could_not_read_is_read_here(tmp_path: Path) -> None:
    store = CodeStore(tmp_path / "code")
    assert CodeLibrary(PACKAGES, NAMES, store, ahead=Slow(store, fails=True)).functions_of(f"{MODULE}/shop")


def test_nothing_is_started_for_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_process, "start", lambda *_: pytest.fail("it was started"))
    CodeAhead().start(PACKAGES, PACKAGES, CodeStore(tmp_path), NAMES)


@pytest.mark.parametrize("lacks", ["cores", "python"])
def test_it_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacks: str) -> None:
    monkeypatch.setattr(code_ahead, "_WORTHWHILE_BYTES", 0)
    monkeypatch.setattr(second_process, "cores", lambda: 1 if lacks == "cores" else 2)
    if lacks == "python":
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
    ahead = CodeAhead()
    ahead.start(PACKAGES, PACKAGES, CodeStore(tmp_path), NAMES)
    assert not ahead.is_reading(f"{MODULE}/shop")


def test_it_ends_with_who_started_it() -> None:
    work = "from whyheap.host import second_process; second_process.read_job()\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", work], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        process.stdin.write((3).to_bytes(8, "big") + b"job")
        process.stdin.close()
        assert process.wait(timeout=60) != 0
