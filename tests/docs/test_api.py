"""The public API: light to import, complete, and with errors that a program can tell apart."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import whyheap
from toolchains import go

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "examples" / "oomshop"


def test_importing_it_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import whyheap; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True)
    assert set(done.stdout.split()) <= {"__future__", "whyheap", "whyheap.version"}


def test_every_public_name_is_there() -> None:
    assert len(set(whyheap.__all__)) == len(whyheap.__all__)
    for name in whyheap.__all__:
        assert getattr(whyheap, name) is not None
    assert dir(whyheap) == sorted(whyheap.__all__)


def test_other_names_are_not() -> None:
    name = "Reports"
    with pytest.raises(AttributeError, match="no attribute 'Reports'"):
        getattr(whyheap, name)


def test_the_page_names_only_what_exists() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    assert {name for name in re.findall(r"`(\w+)", rows) if name not in whyheap.__all__} == set()


def test_the_version_is_that_of_the_package() -> None:
    assert f'version = "{whyheap.__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_errors_say_what_and_how_out() -> None:
    with pytest.raises(whyheap.TargetError, match="there is no such file") as caught:
        whyheap.why("missing.pb.gz")
    assert caught.value.hint
    with pytest.raises(whyheap.UsageError, match="regular expression"):
        whyheap.scan(focus="(")


def test_a_capture_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.whyheap"
    file.write_bytes(b"text")
    with pytest.raises(whyheap.FormatError, match="not a capture"):
        whyheap.load_capture(file)


@pytest.mark.live
def test_a_target_that_fails_beside_others_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path))
    access = whyheap.Access(timeout_seconds=5, connect_timeout_seconds=2)
    report = whyheap.why(".", "http://127.0.0.1:1", folder=SHOP, seconds=0, go=str(go()), access=access)
    assert report.verdict is None
    assert report.findings
    assert [gap.reason for gap in report.gaps if gap.witness == "target"]


@pytest.mark.live
def test_focus_and_sources_are_heeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path))
    report = whyheap.scan(".", folder=SHOP, go=str(go()), focus="renderRow", keep_sources=False)
    assert {finding.site.function for finding in report.findings} == {"renderRow"}
    assert not report.sources
