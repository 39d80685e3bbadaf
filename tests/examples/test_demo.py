"""The main job on the demo: every planted mistake is named with its line, its pattern and its bytes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from toolchains import environment, go

SHOP = Path(__file__).resolve().parents[2] / "examples" / "oomshop"
MISTAKES: list[dict[str, Any]] = tomllib.loads((SHOP / "planted.toml").read_text(encoding="utf-8"))["mistake"]
ON_LINES = [mistake for mistake in MISTAKES if mistake["witness"] != "goroutine"]
TOP = 15
SAMPLED_BYTES = 32 << 10  # the smallest mistake is five samples of Go's 512 KiB on a busy machine: no measure of a rank
MEASURES = {"inuse_space": "inuse_bytes", "alloc_space": "alloc_bytes"}

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what `whyheap why` says, as JSON, of the shop under load."""
    programs = tmp_path_factory.mktemp("oomshop")
    env = environment()
    subprocess.run([go(), "build", "-o", programs, "./..."], cwd=SHOP, env=env, check=True)
    service = [str(programs / "oomshop"), "-listen", "127.0.0.1:0", "-max-seconds", "120"]
    often = dict(env, GODEBUG=f"memprofilerate={SAMPLED_BYTES}")
    with subprocess.Popen(service, stdout=subprocess.PIPE, text=True, env=often) as shop:
        assert shop.stdout is not None
        url = re.findall(r"http://[\d.:]+", shop.stdout.readline())[0]
        with subprocess.Popen([programs / "loadgen", "-url", url, "-seconds", "90"], stdout=subprocess.DEVNULL) as load:
            time.sleep(6)
            question = ["why", "./...", url, "--seconds", "8", "--format", "json"]
            whyheap = Path(sys.executable).with_name("whyheap")
            answer = subprocess.run(
                [whyheap, *question], cwd=SHOP, env=env, check=False, capture_output=True, text=True
            )
            load.terminate()
        shop.terminate()
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)  # type: ignore[no-any-return]


def findings_on(report: dict[str, Any], mistake: dict[str, Any]) -> list[dict[str, Any]]:
    place = mistake["file"], mistake["line"]
    return [found for found in report["findings"] if (found["site"]["file"], found["site"]["line"]) == place]


@pytest.mark.parametrize("mistake", ON_LINES, ids=lambda mistake: f"{mistake['file']}:{mistake['line']}")
def test_planted_mistake_is_found(report: dict[str, Any], mistake: dict[str, Any]) -> None:
    found = findings_on(report, mistake)
    pattern_of = {finding["id"]: finding["pattern"] for finding in report["findings"]}
    named = {finding["pattern"] for finding in found} | {pattern_of.get(finding["root"]) for finding in found}
    assert named & set(mistake["patterns"]), named
    assert {finding["site"]["function"] for finding in found} == {mistake["function"]}


@pytest.mark.parametrize("mistake", ON_LINES, ids=lambda mistake: f"{mistake['file']}:{mistake['line']}")
def test_planted_mistake_ranks_high_by_its_bytes(report: dict[str, Any], mistake: dict[str, Any]) -> None:
    measure = MEASURES[mistake["witness"]]
    lines: dict[tuple[str, int], int] = {}
    for finding in report["findings"]:
        place = finding["site"]["file"], finding["site"]["line"]
        held = (finding["witnesses"]["profile"] or {}).get(measure, 0)
        lines[place] = max(lines.get(place, 0), held)
    ranked = sorted(lines, key=lambda place: -lines[place])[:TOP]
    place = mistake["file"], mistake["line"]
    assert lines[place] > 0
    assert place in ranked


def test_verdict_names_growth_and_leak_with_their_lines(report: dict[str, Any]) -> None:
    causes = {cause["cause"]: json.dumps(cause) for cause in report["verdict"]["causes"]}
    leak = next(mistake for mistake in MISTAKES if mistake["witness"] == "goroutine")
    assert f"{leak['file']}:{leak['line']}" in causes["goroutine-leak"]
    assert "cache.go:32" in causes.get("unbounded-cache", causes.get("live-heap-growth", ""))
