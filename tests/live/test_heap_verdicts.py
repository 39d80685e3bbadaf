"""Each heap verdict of net/http has a call of the allocator, or the machine code says why it has none."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from toolchains import environment, go, newest
from whyheap.collect.compiler import ScanOptions, compile_packages
from whyheap.host.go import GoTool
from whyheap.join import join
from whyheap.model.facts import FactKind
from whyheap.parse.machine_code.line_notes import Instead

pytestmark = pytest.mark.live

SHARE = 0.95


def test_net_http_is_accounted_for(tmp_path: Path) -> None:
    tool = GoTool(str(go(newest())), {"GOTOOLCHAIN": "local"})
    assert environment(newest())
    compiled = compile_packages(tool, ScanOptions(tmp_path, ("net/http",)))
    told: Counter[str] = Counter()
    for line in join(compiled.load(), None).evidence:
        heap = sum(fact.kind is FactKind.HEAP for fact in line.facts)
        if not heap:
            continue
        if line.calls:
            told["call"] += heap
        else:
            found = compiled.library.instead("net/http", line.site.file, line.site.line)
            told[found.value if found is not None else "unknown"] += heap
    whole = sum(told.values())
    assert whole > 800
    unexplained = told[Instead.NOTHING.value] + told["unknown"]
    assert 1 - unexplained / whole >= SHARE, told
