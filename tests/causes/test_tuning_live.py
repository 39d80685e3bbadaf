"""An advised setting, tried: the peak and the collections that were foretold are those that are seen."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from toolchains import environment, go, newest
from whyheap.app.gather import WhyRequest, gather
from whyheap.causes.history import RuntimeHistory
from whyheap.causes.tuning import best_for, collections
from whyheap.collect.runtime_sample import samples_from_gauges
from whyheap.host.limited_process import limited_process
from whyheap.host.memory_group import memory_group
from whyheap.lab.scenarios import CAUSES
from whyheap.units import spell_bytes

SCENARIO = CAUSES / "gc_headroom" / "scenario" / "search_index"
LIMIT = 160 << 20
ARGUMENTS = ("-live", str(80 << 20), "-rate", str(40 << 20))
SECONDS = 7.0


def observed(binary: Path, folder: Path, **env: str) -> RuntimeHistory:
    with (
        memory_group(LIMIT) as group,
        limited_process((str(binary), "-for=30s", *ARGUMENTS), group=group, env=env) as program,
    ):
        capture = gather(WhyRequest((program.line,), folder, SECONDS)).capture
    return RuntimeHistory(samples_from_gauges(capture.gauges), limit_name=capture.limit_name, events=capture.events)


@pytest.mark.live
def test_the_advised_memory_limit_gives_the_peak_that_was_foretold(tmp_path: Path) -> None:
    if not os.access("/sys/fs/cgroup/memory", os.W_OK):
        pytest.skip("no memory group may be made here")
    version = newest()
    binary = tmp_path / "search_index"
    building = {**os.environ, **environment(version), "GO111MODULE": "off"}
    command = [str(go(version)), "build", "-o", str(binary), "main.go"]
    subprocess.run(command, check=True, cwd=SCENARIO, env=building)
    before = observed(binary, tmp_path)
    assert before.limit is not None
    foretold = best_for(before, before.limit)
    assert foretold is not None
    assert foretold.pacing.memory_limit_bytes is not None
    after = observed(binary, tmp_path, GOMEMLIMIT=spell_bytes(foretold.pacing.memory_limit_bytes))
    peak = max(size for _, size in after.usage)
    ran = collections(after)
    assert ran is not None
    assert not after.was_killed
    assert abs(peak - foretold.peak_bytes) < 0.1 * foretold.peak_bytes
    assert foretold.collections_per_second / 2 < ran.per_second < foretold.collections_per_second * 2
