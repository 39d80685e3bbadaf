"""Runs the command line in this process, and a small server that answers as told."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from whyheap.cli.main import main

PROFILES = Path(__file__).resolve().parent / "recorded" / "profiles"
HEAP = (PROFILES / "go1.27.3" / "heap.pb.gz").read_bytes()
HEAP_TEXT = (PROFILES / "go1.27.3" / "heap.txt").read_bytes()
CPU = (PROFILES / "go1.22.10" / "cpu.pb.gz").read_bytes()
GOROUTINES = (PROFILES / "go1.22.10" / "goroutine.txt").read_bytes()
CORRUPT = HEAP[: len(HEAP) // 2] + b"\xff" * 64 + HEAP[len(HEAP) // 2 + 64 :]
BOMB = gzip.compress(b"\x32\0" * (32 << 20), 9)  # ever more empty strings
SERVICE = {
    "/debug/pprof/heap": HEAP,
    "/debug/pprof/heap?debug=1": HEAP_TEXT,
    "/debug/pprof/goroutine?debug=1": GOROUTINES,
}


@dataclass(frozen=True)
class Ran:
    """What one run said."""

    code: int
    out: str
    err: str

    def check_error(self, code: int) -> str:
        """Return the one sentence on stderr; there is at most one line more, the way out."""
        assert self.code == code, self
        lines = self.err.splitlines()
        assert 1 <= len(lines) <= 2, self.err
        assert lines[0].startswith("whyheap: "), self.err
        assert all(line.startswith("  ") for line in lines[1:]), self.err
        assert "Traceback" not in self.err
        return lines[0].removeprefix("whyheap: ")


class Cli:
    """`whyheap ARGUMENTS`, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> Ran:
        self._capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        return Ran(code, out, err)


@contextmanager
def serving(answers: Mapping[str, bytes | int | threading.Event]) -> Iterator[str]:
    """Serve bodies, or a status, by path with query; anything else is 404, an event keeps the client waiting."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path, 404)
            if isinstance(answer, threading.Event):
                answer.wait(60)
                return
            body = answer if isinstance(answer, bytes) else b"no such page\n"
            self.send_response(200 if isinstance(answer, bytes) else answer)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
