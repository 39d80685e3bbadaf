"""A recorder lets a second process read what takes much memory once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from toolchains import ROOT, environment, go
from whyheap.collect import process_image, runtime_layout_store
from whyheap.collect.layout_ahead import read_ahead
from whyheap.host import second_process

pytestmark = pytest.mark.live


def test_the_layout_of_a_program_is_kept_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "cache"))
    shop = tmp_path / "shop"
    subprocess.run([go(), "build", "-o", shop, "."], cwd=ROOT / "examples" / "oomshop", env=environment(), check=True)
    with subprocess.Popen([shop, "-listen", "127.0.0.1:0", "-max-seconds", "60"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        read_ahead(process.pid)
        assert list((tmp_path / "cache" / "layouts").glob("program-*"))
        with monkeypatch.context() as patch:
            patch.setattr(runtime_layout_store, "_read", lambda *_: pytest.fail("it was read again"))
            process_image.open_image(process.pid).memory.close()
            patch.setattr(second_process, "start", lambda *_: pytest.fail("a second process was started again"))
            read_ahead(process.pid)
        process.kill()


def test_what_is_no_go_program_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_process, "start", lambda *_: pytest.fail("a second process was started"))
    read_ahead(os.getpid())
    read_ahead(2**22 + 1)
