"""The page in a real browser: opened from a file, driven like a reader would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from report.sample_report import HOSTILE_NAMES, SAMPLES
from whyheap.report.to_html import to_html

HERE = Path(__file__).parent
WEB = HERE.parents[1] / "web"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MOST_SECONDS = 2.0

JOBS = (
    ("oomshop", "lines"),
    ("oomshop", "keys"),
    ("oomshop", "finding"),
    ("oomshop", "flame"),
    ("long_lines", "source:narrow"),
    ("long_lines", "source:desk"),
    ("recorded", "memory"),
    ("recorded", "memory:phone"),
    ("oomshop", "look:desk:light"),
    ("oomshop", "look:desk:dark"),
    ("oomshop", "look:phone"),
    ("static", "look:phone"),
    ("healthy", "look:phone"),
    ("empty", "look:phone"),
    ("hostile", "hostile:desk"),
    ("hostile", "hostile:phone"),
    ("many_frames", "speed"),
    ("many_findings", "many"),
)
"""Which sample is driven through which scenario of page_driver.mjs."""

Answers = dict[tuple[str, str], dict[str, Any]]

pytestmark = pytest.mark.browser


@cache
def _tool(*names: str) -> str:
    beside = f"{os.environ.get('PATH', '')}{os.pathsep}{Path(sys.executable).parent}"
    path = next((found for name in names if (found := shutil.which(name, path=beside))), None)
    if path is None:
        pytest.skip(f"none of {', '.join(names)} is on PATH")
    return path


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Play all scenarios in one browser: starting it is what takes long."""
    if not (WEB / "node_modules" / "playwright-core").is_dir():
        pytest.skip("web/node_modules is missing: (cd web && npm ci)")
    command = [_tool("node"), str(HERE / "page_driver.mjs"), _tool(*BROWSERS)]
    directory = tmp_path_factory.mktemp("pages")
    for sample, build in SAMPLES.items():
        (directory / f"{sample}.html").write_text(to_html(build()), encoding="utf-8")
    jobs = [(str(directory / f"{sample}.html"), scenario) for sample, scenario in JOBS]
    done = subprocess.run([*command, json.dumps(jobs)], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return dict(zip(JOBS, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("job", JOBS, ids="-".join)
def test_no_request_and_no_message(answers: Answers, job: tuple[str, str]) -> None:
    answer = answers[job]
    assert "failure" not in answer, answer["failure"]
    assert [url.rsplit("/", 1)[-1] for url in answer["requests"]] == [f"{job[0]}.html"]
    assert answer["messages"] == []


@pytest.mark.parametrize("screen", ["memory", "memory:phone"])
def test_memory_is_accounted_for_drawn_over_time_and_its_events_are_told(answers: Answers, screen: str) -> None:
    seen = answers["recorded", screen]["result"]
    assert seen["hash"] == "#view=memory"
    assert [row.split("\t")[0] for row in seen["account"]][-2:] == ["live heap", "unexplained"]
    assert seen["captions"] == ["Memory", "Goroutines and threads", "Collector and pressure"]
    assert "limit768 MiB" in seen["legend"][0]
    assert len(seen["events"]) == 3
    assert "killed oomshop" in seen["events"][1]
    assert seen["painted"] > 8  # kinds of memory differ in colour
    assert seen["overflow"] <= 0


def test_search_filters_sort_and_copy(answers: Answers) -> None:
    seen = answers["oomshop", "lines"]["result"]
    assert len(seen["all"]) == 11
    assert "cache.go:41" in seen["all"][0]
    assert "201 MiB" in seen["all"][0]
    assert "71 %" in seen["all"][0]
    assert [row for row in seen["searched"] if "render.go:88" in row] == seen["searched"]
    assert "q=render" in seen["searchHash"]
    assert len(seen["filtered"]) == 1
    assert "cache.go:41" in seen["filtered"][0]
    assert "render.go:88" in seen["byAlloc"][0]
    assert "live heap grows 3.1 MiB/s" in seen["verdict"]
    assert "measured" in seen["verdict"]
    assert "unexplained" in seen["unexplainedRow"]
    assert seen["toast"] == "11 lines copied"
    header, first, *_ = (row.split("\t") for row in seen["clipboard"].splitlines())
    assert header[:4] == ["rank", "file", "line", "function"]
    assert first[:4] == ["1", "cache.go", "41", "(*Cache).fill"]


def test_what_is_missing_is_on_the_first_screen(answers: Answers) -> None:
    seen = answers["oomshop", "lines"]["result"]
    for box in (seen["unexplained"], seen["gaps"]):
        assert box["y"] + box["height"] <= 800


def test_keyboard_alone_is_enough(answers: Answers) -> None:
    seen = answers["oomshop", "keys"]["result"]
    assert seen["opened"] == {"hash": "#finding=77b0de11", "title": "render.go:88"}
    assert seen["closed"] == {"hash": "", "panels": 0}
    assert seen["focus"] == "render.go:88"
    assert "search" in seen["help"]
    assert seen["view"] == "#view=flame"
    assert seen["back"] == ""


def test_a_finding_has_an_address_and_its_flow_is_drawn(answers: Answers) -> None:
    seen = answers["oomshop", "finding"]["result"]
    assert seen["title"] == "cache.go:41"
    assert any("pageCache[key] = p" in line and "heap" in line for line in seen["code"])
    assert seen["marks"] == ["&Page"]
    assert seen["arrows"] == 1
    assert seen["stages"] == ["storage", "then", "outlives the frame", "heap", "machine code"]
    assert len(seen["chain"]) == len(seen["stages"])
    assert "cache.go:43:17" in seen["chain"][2]
    assert seen["reached"] == [1, "path-node path-flow", "path-node path-outlives"], "by keyboard, its line marked"
    assert "heap" in seen["so"]
    assert "your judgement" in seen["fixes"][0]
    assert "no finding" in seen["unknown"].casefold()


@pytest.mark.parametrize("screen", ["narrow", "desk"])
def test_what_a_line_costs_stands_beside_its_text(answers: Answers, screen: str) -> None:
    seen = answers["long_lines", f"source:{screen}"]["result"]
    assert max(seen["overflows"]) <= 0
    assert seen["marks"] == ["make([]byte, pageSize)"], "to its closing parenthesis"
    assert seen["costs"] == ["201 MiB", "201 MiB"]
    assert seen["chosen"] == "201 MiB"
    assert seen["scrolled"] > 0
    assert seen["covered"] == []


def test_flame_graph_switches_searches_filters_and_zooms(answers: Answers) -> None:
    seen = answers["oomshop", "flame"]["result"]
    drawings = [seen["before"], seen["alloc"], seen["searched"]["drawing"], seen["filtered"], seen["zoomed"]["drawing"]]
    assert len(set(drawings)) == len(drawings)
    assert "(*Cache).fill" in seen["tip"]
    assert "stored in a package-level map" in seen["tip"]
    assert "1 of 21 frames, 58 % of bytes" in seen["searched"]["result"]
    assert "frame=" in seen["zoomed"]["hash"]
    assert seen["zoomed"]["panel"] == "cache.go:41"
    assert "renderPage" in seen["moved"]
    assert "frame=" not in seen["after"]


def test_100_000_frames_answer_at_once(answers: Answers) -> None:
    seen = answers["many_frames", "speed"]["result"]
    sys.stderr.write(f"100,000 frames, seconds: {seen}\n")
    assert "of 100,000 frames" in seen["found"]
    assert "frame=" in seen["zoomed"]
    for action in ("show", "search", "clear", "zoom", "out", "metric"):
        assert seen[action] < MOST_SECONDS, action


def test_30_000_findings_answer_at_once(answers: Answers) -> None:
    seen = answers["many_findings", "many"]["result"]
    sys.stderr.write(f"30,000 findings, seconds: {seen}\n")
    assert "of 30,000 lines" in seen["result"]
    assert seen["rows"] == 100
    assert seen["more"] == 600
    assert seen["search"] < MOST_SECONDS
    assert seen["sort"] < MOST_SECONDS


@pytest.mark.parametrize("screen", ["desk", "phone"])
def test_hostile_names_stay_text(answers: Answers, screen: str) -> None:
    seen = answers["hostile", f"hostile:{screen}"]["result"]
    assert seen["hacked"] is None
    assert seen["elements"] == 0
    assert seen["overflow"] <= 0
    for shown in seen["views"]:
        assert "<script>globalThis.hacked = 1</script>" in shown
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in shown
    lines = seen["views"][-1]
    assert "safe\u27e8U+202E\u27e9gpj.exe" in lines
    assert "x" * 5000 not in lines
    assert len(seen["panels"]) == len(HOSTILE_NAMES)
    assert any("x" * 10_240 in panel for panel in seen["panels"])
    assert "hacked = 2" in seen["title"]


@pytest.mark.parametrize("sample", ["oomshop", "static", "healthy", "empty"])
def test_nothing_is_wider_than_a_phone(answers: Answers, sample: str) -> None:
    seen = answers[sample, "look:phone"]["result"]
    assert {view: wide for view, wide in seen["overflows"].items() if wide > 0} == {}


def test_light_and_dark_follow_the_system_and_the_reader(answers: Answers) -> None:
    light = answers["oomshop", "look:desk:light"]["result"]
    dark = answers["oomshop", "look:desk:dark"]["result"]
    assert light["system"]["ground"] == dark["toggled"]["ground"] == "rgb(251, 250, 248)"
    assert dark["system"]["ground"] == light["toggled"]["ground"] == "rgb(21, 23, 27)"
