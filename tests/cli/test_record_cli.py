"""`whyheap record`: what it refuses, what it says, and that a signal keeps what was seen."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_runs import HEAP_TEXT, SERVICE, Cli
from host.live_server import body, serve
from toolchains import ROOT, environment, go
from whyheap.capture import load_capture
from whyheap.collect.runtime_sample import samples_from_gauges

WHYHEAP = str(Path(sys.executable).with_name("whyheap"))


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capsys)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Address and number of a running oomshop."""
    binary = tmp_path_factory.mktemp("shop") / "shop"
    subprocess.run([go(), "build", "-o", binary, "."], cwd=ROOT / "examples" / "oomshop", env=environment(), check=True)
    command = [str(binary), "-listen", "127.0.0.1:0", "-max-seconds", "200"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert found is not None
        yield found[0], process.pid
        process.kill()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pid:1"], "needs a file"),
        (["pid:1", "-o", "x.json"], "needs a file"),
        (["-o", "x.whyheap"], "no service or process was named"),
        (["./...", "-o", "x.whyheap"], "no service or process was named"),
        (["pid:1", "pid:2", "-o", "x.whyheap"], "more than one service or process"),
        (["pid:1", "-o", "x.whyheap", "--raise-limit", "1GiB"], "--raise-limit says what --hold-at-limit does"),
        (["pid:1", "-o", "x.whyheap", "--high", "much"], "much"),
        (["pid:1", "-o", "x.whyheap", "--max-size", "much"], "much"),
        (["pid:1", "-o", "x.whyheap", "--max-age", "old"], "old"),
        (["pid:1", "-o", "x.whyheap", "--for", "-3"], "-3"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: list[str], said: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said in cli("record", *arguments).check_error(2)
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_never_answers(cli: Cli, tmp_path: Path) -> None:
    ran = cli("record", "http://127.0.0.1:9", "-o", tmp_path / "x.whyheap", "--wait", "3")
    assert ran.code == 3
    lines = ran.err.splitlines()
    assert lines[0].endswith("waiting up to 3 s for it")
    assert "connection refused" in lines[1]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_touched(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "x.whyheap"
    path.write_bytes(b"precious")
    with serve(lambda handler: body(SERVICE.get(handler.path, b""))(handler)) as server:
        assert "is there already" in cli("record", server.url, "-o", path, "--for", "1").check_error(3)
    assert path.read_bytes() == b"precious"


def test_a_service_that_comes_later_is_waited_for(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = tmp_path / "x.whyheap"
    command = [WHYHEAP, "record", f"http://127.0.0.1:{port}", "-o", str(path), "--for", "1", "--wait", "30"]
    server = [sys.executable, "-c", _LATE_SERVER, str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as recorder:
        assert recorder.stderr is not None
        assert "waiting up to 30 s for it" in recorder.stderr.readline()
        with subprocess.Popen(server, stdin=subprocess.PIPE) as late:
            assert late.stdin is not None
            late.stdin.write(HEAP_TEXT)
            late.stdin.close()
            said = recorder.stderr.read()
            late.kill()
    assert recorder.returncode == 0
    assert "ended: its time was up; see: whyheap why" in said
    assert load_capture(path).gauges


_LATE_SERVER = """
import http.server, sys
text = sys.stdin.buffer.read()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", str(len(text))); self.end_headers()
        self.wfile.write(text)
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.mark.live
@pytest.mark.parametrize(("sign", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_keeps_what_was_seen(sign: signal.Signals, code: int, shop: tuple[str, int], tmp_path: Path) -> None:
    path = tmp_path / "x.whyheap"
    command = [WHYHEAP, "record", f"pid:{shop[1]}", "-o", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as recorder:
        deadline = time.monotonic() + 30
        while not path.exists() or not load_capture(path).gauges:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        begun = time.monotonic()
        recorder.send_signal(sign)
        said = recorder.communicate()[1]
    assert time.monotonic() - begun < 3  # under load; a second by itself
    assert recorder.returncode == code
    assert re.search(r"kept \d+ samples? in .*x\.whyheap; see: whyheap why", said)
    assert samples_from_gauges(load_capture(path).gauges)


@pytest.mark.live
def test_time_is_up_and_quiet_is_quiet(shop: tuple[str, int], tmp_path: Path) -> None:
    for number, more in enumerate(([], ["-q"])):
        path = tmp_path / f"{number}.whyheap"
        command = [WHYHEAP, "record", shop[0], "-o", str(path), "--for", "1.5", *more]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout == ""
        if more:
            assert done.stderr == ""
        else:
            last = done.stderr.splitlines()[-1]
            form = r"whyheap: kept \d samples?, \d profiles? of 1\.\d s in .* \(\d+ KiB\); ended: its time was up; "
            assert re.match(form, last), last
        capture = load_capture(path)
        assert capture.pid == shop[1]
        assert capture.profiles
