"""The Go toolchains that tests run against. `make test` unpacks them into .cache/go/<version>.

A live test is parametrised with `versions()`, runs `go(version)` and passes `environment(version)` to it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def versions() -> tuple[str, ...]:
    """Return every supported Go that is locked in requirements/go, oldest first: ("1.22.10", ..., "1.27.3")."""
    found = (lock.stem for lock in (ROOT / "requirements" / "go").glob("*.txt"))
    return tuple(sorted(found, key=lambda version: [int(part) for part in version.split(".")]))


def oldest() -> str:
    """Return the oldest supported version."""
    return versions()[0]


def newest() -> str:
    """Return the newest supported version."""
    return versions()[-1]


def go(version: str | None = None) -> Path:
    """Return the go command of `version`, the newest by default; when missing, fail in CI and skip elsewhere."""
    wanted = version or newest()
    found = ROOT / ".cache" / "go" / wanted / "go" / "bin" / "go"
    if not found.exists():
        reason = f"Go {wanted} is not unpacked; `make test` does that"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def environment(version: str | None = None, **changes: str) -> dict[str, str]:
    """Return our environment with that Go first on PATH and bound to its own version; GOFLAGS is kept."""
    env = {name: value for name, value in os.environ.items() if name != "GOROOT"}
    env["GOTOOLCHAIN"] = "local"
    env["PATH"] = f"{go(version).parent}{os.pathsep}{env.get('PATH', os.defpath)}"
    return env | changes
