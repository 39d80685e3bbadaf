"""Each scenario and each healthy program, run for real: the verdict is demanded."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

from toolchains import environment, go, newest, oldest
from whyheap.causes.catalogue import judge
from whyheap.causes.history import RuntimeHistory

SCRIPT = Path(__file__).parents[2] / "scripts" / "record_runtime.py"
SECONDS = 10.0


def load_recorder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("record_runtime", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RECORDER = load_recorder()
PROGRAMS: dict[str, Path] = RECORDER.programs()


@pytest.mark.live
@pytest.mark.parametrize("version", [oldest(), newest()])
@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_the_right_cause_comes_first(
    program: str, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(version).items():
        monkeypatch.setenv(name, value)
    binary = tmp_path / program
    RECORDER.build(str(go(version)), PROGRAMS[program], binary)
    limit = RECORDER.LIMIT_BYTES.get(program)
    with contextlib.ExitStack() as stack:
        group = None
        if limit and os.access(RECORDER.MEMORY_GROUPS, os.W_OK):
            group = stack.enter_context(RECORDER.memory_group(limit))
        elif program == "gc_headroom":
            pytest.skip("no memory group may be made here, and this cause needs a limit")
        url = stack.enter_context(RECORDER.running(binary, RECORDER.ARGUMENTS.get(program, ()), group))
        series = RECORDER.observe(url, 12.0 if "healthy" in PROGRAMS[program].parts else SECONDS)
    assert series.pid is not None
    judgement = judge(RuntimeHistory(series.samples, limit_name=series.limit_name))
    assert judgement.verdict is not None, judgement.gaps
    causes = [cause.cause for cause in judgement.verdict.causes]
    assert causes[:1] == ([] if "healthy" in PROGRAMS[program].parts else [program.replace("_", "-")])
