"""The lab on real compilers: the oldest and the newest Go that are locked."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import toolchains
from whyheap.lab.claims import FOLDER, claims
from whyheap.lab.workspace import HARNESS
from whyheap.patterns.catalogue import PATTERNS

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "tests" / "recorded"
PAIR = (toolchains.oldest(), toolchains.newest())
SECONDS = 280

pytestmark = pytest.mark.live


def lab(cache: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "whyheap", "lab", *arguments],
        env=toolchains.environment() | {"WHYHEAP_CACHE": str(cache)},
        cwd=cache,
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("version", PAIR)
def test_every_want_holds(version: str, cache: Path, tmp_path: Path) -> None:
    done = lab(cache, "--go", toolchains.go(version), "--record", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"every want holds: {len(PATTERNS)} patterns on Go {version}" in done.stdout
    for pattern in PATTERNS:
        fresh = (tmp_path / version / "patterns" / f"{pattern.slug}.txt").read_text(encoding="utf-8")
        known = (RECORDED / version / "patterns" / f"{pattern.slug}.txt").read_text(encoding="utf-8")
        assert sorted(fresh.splitlines()) == sorted(known.splitlines()), pattern.slug


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("version", PAIR)
def test_claims_measure_as_recorded(version: str, cache: Path) -> None:
    done = lab(cache, "folklore", "--go", toolchains.go(version), "--format", "json")
    assert done.returncode == 0, done.stderr
    fresh = json.loads(done.stdout)[0]["claims"]
    known = json.loads((RECORDED / version / "folklore.json").read_text(encoding="utf-8"))["claims"]
    for claim in claims():
        answers = [[one.holds(of[claim.slug].get("values", {})) for one in claim.predictions] for of in (fresh, known)]
        assert answers[0] == answers[1], (claim.slug, fresh[claim.slug])


def test_ctrl_c_ends_at_once_and_leaves_no_process(cache: Path) -> None:
    command = [sys.executable, "-m", "whyheap", "lab", "--go", str(toolchains.go())]
    env = toolchains.environment() | {"WHYHEAP_CACHE": str(cache / "own"), "WHYHEAP_MARK": str(cache)}
    with subprocess.Popen(
        command, cwd=cache, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        _, told = process.communicate(timeout=30)
        ended_after = time.monotonic() - started
    assert process.returncode == 130, told
    assert "interrupted" in told
    assert ended_after < 10
    time.sleep(0.5)
    assert list(_marked(f"WHYHEAP_MARK={cache}")) == []


def _marked(mark: str) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


def test_a_failing_want_is_printed_and_exits_with_1(cache: Path, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from dataclasses import replace\n"
        "from pathlib import Path\n"
        "from whyheap.patterns import catalogue\n"
        "own = catalogue.get('interface-boxing')\n"
        "folder = Path(sys.argv[1])\n"
        "text = own.example.replace('pattern=interface-boxing', 'pattern=global-store', 1)\n"
        "(folder / 'example.go').write_text(text)\n"
        "catalogue._BY_SLUG['interface-boxing'] = replace(own, folder=folder)\n"
        "from whyheap.cli.main import main\n"
        "sys.exit(main(['lab', 'interface-boxing']))\n"
    )
    env = toolchains.environment() | {"WHYHEAP_CACHE": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], env=env, cwd=cache, check=False, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert re.search(r"example\.go:\d+: want pattern=global-store, got pattern=interface-boxing", done.stdout)


def test_the_labs_programs_are_formatted_and_vetted(tmp_path: Path) -> None:
    env = toolchains.environment() | {"GOFLAGS": "", "GOWORK": "off"}
    go = toolchains.go()
    examples = [pattern.folder / "example.go" for pattern in PATTERNS if pattern.folder]
    files = [*FOLDER.glob("*.go"), *HARNESS.rglob("*.go"), *examples]
    done = subprocess.run([go.with_name("gofmt"), "-l", *files], env=env, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    (tmp_path / "go.mod").write_text("module example.test\n\ngo 1.22\n")
    for claim in claims():
        if "//go:build illegal" not in claim.source:
            folder = tmp_path / claim.slug
            folder.mkdir()
            (folder / "main.go").write_text(claim.source)
    done = subprocess.run(
        [go, "vet", "-unsafeptr=false", "./..."], cwd=tmp_path, env=env, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
