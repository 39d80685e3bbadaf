"""The lab's machine: a scenario under a real cgroup v2, recorded inside and judged outside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import toolchains

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 280

pytestmark = pytest.mark.live


def test_a_program_is_killed_at_a_v2_limit_and_the_right_cause_is_named(tmp_path: Path) -> None:
    kernels = sorted((ROOT / ".cache" / "kernel" / "boot").glob("vmlinuz-*"))
    if not kernels:
        pytest.skip("there is no kernel for the machine: python scripts/prepare.py test")
    cause, variant = "shared-memory", "shared_regions"
    done = subprocess.run(
        [sys.executable, "-m", "whyheap", "lab", "causes", f"{cause}/{variant}", "--machine", "--format", "json"],
        env=toolchains.environment() | {"WHYHEAP_CACHE": str(tmp_path), "WHYHEAP_KERNEL": str(kernels[-1])},
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    (result,) = msgspec.json.decode(done.stdout.encode())
    assert result["limit"] == "cgroup v2", done.stdout
    assert result["causes"][:1] == [cause], done.stdout
    assert done.returncode == 0
