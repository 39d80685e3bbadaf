"""The job of `whyheap doctor`: what this machine offers and lacks, with the command that mends it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from whyheap.app.doctor_check import Check
from whyheap.app.doctor_linux import examine_linux
from whyheap.errors import WhyheapError
from whyheap.host.cache import cache_folder, private_folder
from whyheap.host.go import find_go

OLDEST_GO, NEWEST_GO = (1, 22), (1, 27)


def examine(wanted_go: str = "", folder: Path | None = None) -> list[Check]:
    """Look at everything; reads only, but for a probe file in our own cache folder."""
    here = folder or Path.cwd()
    return [_python(), *_go(wanted_go, here), _cache(), *examine_linux()]


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", sys.version_info >= (3, 11), version, "")


def _go(wanted: str, folder: Path) -> list[Check]:
    try:
        go = find_go(wanted)
        environment = go.environment(folder)
    except WhyheapError as error:
        return [Check("go", ok=False, detail=error.message, remedy=error.hint)]
    known = OLDEST_GO <= environment.version <= NEWEST_GO
    span = f"{OLDEST_GO[0]}.{OLDEST_GO[1]} to {NEWEST_GO[0]}.{NEWEST_GO[1]}"
    checks = [
        Check(
            "go",
            known,
            f"{environment.GOVERSION} {environment.GOOS}/{environment.GOARCH} at {go.command}",
            "" if known else f"Supported are Go {span}; with others, what was not understood is counted",
        )
    ]
    root = environment.root
    checks.append(
        Check(
            "module",
            bool(root),
            root or "this folder is in no Go module",
            "" if root else "Run it inside a module, or name packages of std",
        )
    )
    return checks


def _cache() -> Check:
    folder = cache_folder()
    try:
        private_folder()
        probe = folder / f"probe{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except (OSError, WhyheapError) as error:
        return Check("cache", ok=False, detail=str(error), remedy="Set WHYHEAP_CACHE to a writable folder")
    free = shutil.disk_usage(folder).free
    return Check("cache", ok=True, detail=f"{folder}, {free >> 20:,} MiB free")
