"""From targets to a Capture: everything that the witnesses say, before anything is concluded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from whyheap.app.targets import Target, TargetKind, recognise
from whyheap.capture import Capture, load_capture
from whyheap.collect.compiler import Progress, ScanOptions, compile_packages
from whyheap.collect.profile import ProfileReading, collect_profile
from whyheap.collect.runtime import collect_runtime
from whyheap.errors import ToolError, UsageError, WhyheapError
from whyheap.host.go import find_go
from whyheap.host.http import Access, fetch, scrub
from whyheap.model.gauge import Gap, Origin
from whyheap.model.scan import Scan
from whyheap.parse.source_path import spell_foreign


@dataclass(frozen=True, slots=True)
class WhyRequest:
    """What `why` was asked. `seconds` is the window in which a URL is observed, 0 for one moment."""

    targets: tuple[str, ...]
    folder: Path
    seconds: float = 10.0
    go: str = ""
    go_env: Mapping[str, str] = field(default_factory=dict)
    tags: str = ""
    gcflags: str = ""
    access: Access = field(default_factory=Access)


@dataclass(frozen=True, slots=True)
class Gathered:
    """A capture, and the errors of named targets that could not be read at all."""

    capture: Capture
    failures: tuple[WhyheapError, ...] = ()
