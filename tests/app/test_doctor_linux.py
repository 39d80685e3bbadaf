from __future__ import annotations

from pathlib import Path

import pytest

from whyheap.app import doctor_linux
from whyheap.app.doctor_check import Check
from whyheap.app.doctor_linux import examine_linux
from whyheap.host.cgroup import Group, GroupLimit
from whyheap.model.gauge import Gap

GAP = Gap("container", "no memory group of pid 1 is visible from here", "Run on the same machine")


def found(name: str) -> Check:
    return next(check for check in examine_linux() if check.name == name)


@pytest.fixture(autouse=True)
def linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(doctor_linux, "find_groups", lambda _: (Group("/shop", 2, Path()),))


@pytest.mark.parametrize(
    ("answer", "ok", "words"),
    [
        ((GroupLimit("/shop", 2, 64 << 20, 1, 0), ()), True, "cgroup v2 /shop: 64 MiB"),
        ((None, ()), True, "no memory limit"),
        ((None, (GAP,)), False, "visible from here"),
    ],
)
def test_the_container(monkeypatch: pytest.MonkeyPatch, answer: tuple[object, object], ok: bool, words: str) -> None:  # noqa: FBT001
    monkeypatch.setattr(doctor_linux, "read_limit", lambda _: answer)
    check = found("container")
    assert check.ok is ok
    assert words in check.detail
    assert bool(check.remedy) is not ok


def test_a_kernels_log_that_may_not_be_read_has_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Log:
        error = "Operation not permitted"

        def close(self) -> None:
            """Nothing is open."""

    monkeypatch.setattr(doctor_linux, "KernelLog", Log)
    for command, remedy in (("/bin/journalctl", "systemd-journal"), (None, "dmesg_restrict")):
        monkeypatch.setattr("shutil.which", lambda _, command=command: command)
        check = found("kernel log")
        assert not check.ok
        assert "Operation not permitted" in check.detail
        assert remedy in check.remedy


@pytest.mark.parametrize(
    ("scope", "may_all", "ok", "words"),
    [
        (0, False, True, "this user's processes"),
        (1, False, False, "only root"),
        (1, True, True, "any process"),
        (3, True, False, "nobody"),
    ],
)
def test_reading_processes(monkeypatch: pytest.MonkeyPatch, scope: int, may_all: bool, ok: bool, words: str) -> None:  # noqa: FBT001
    monkeypatch.setattr(doctor_linux, "ptrace_scope", lambda: scope)
    monkeypatch.setattr(doctor_linux, "may_trace_any", lambda: may_all)
    check = found("processes")
    assert check.ok is ok
    assert words in check.detail
    assert bool(check.remedy) is not ok


def test_elsewhere_one_line_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert [check.ok for check in examine_linux()] == [False]


def test_pressure_that_the_kernel_does_not_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor_linux, "PRESSURE", tmp_path / "none")
    assert "psi=1" in found("pressure").remedy
