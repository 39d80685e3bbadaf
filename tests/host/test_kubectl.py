from __future__ import annotations

import time
from pathlib import Path

import pytest

import stand_in_kubectl
from whyheap.errors import TargetError, ToolError
from whyheap.host.kubectl import Kubectl, find_kubectl


def test_no_kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="there is no kubectl on PATH"):
        find_kubectl()
    stand_in_kubectl.write(tmp_path)
    assert find_kubectl().program == str(tmp_path / "kubectl")


def test_output_is_kept_within_bounds(tmp_path: Path) -> None:
    program = tmp_path / "kubectl"
    program.write_text("#!/bin/sh\nseq 1 300000\necho no >&2\nexit 3\n")
    program.chmod(0o755)
    first = Kubectl(str(program)).run("x", most_bytes=10)
    last = Kubectl(str(program)).run("x", most_bytes=7, keep_last=True)
    assert (first.output, first.is_cut, first.code, first.error) == (b"1\n2\n3\n4\n5\n", True, 3, "no\n")
    assert (last.output, last.is_cut) == (b"300000\n", True)


def test_too_slow_a_command_is_ended(tmp_path: Path) -> None:
    slow = Kubectl(str(stand_in_kubectl.write(tmp_path, slow_seconds=30)), 0.5)
    begun = time.monotonic()
    with pytest.raises(ToolError, match=r"kubectl get took longer than 0\.5 s"):
        slow.run("get", "pods")
    assert time.monotonic() - begun < 5


def test_a_forward_that_does_not_come_about_says_why(tmp_path: Path) -> None:
    refused = Kubectl(str(stand_in_kubectl.write(tmp_path, forbidden=["pods/portforward"])))
    with pytest.raises(TargetError, match="port-forward does not come about: Error from server") as caught:
        refused.port_forward("prod", "shop", 6060)
    assert "jane@example.com" in caught.value.message


def test_a_program_that_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot run"):
        Kubectl(str(tmp_path / "none")).run("get", "pods")
