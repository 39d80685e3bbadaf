"""A local HTTP server in a thread whose answers a test writes as functions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass(slots=True)
class LiveServer:
    """`requests` holds path and headers (lower case) of what was asked."""

    port: int = 0
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: tests break connections on purpose."""


@contextmanager
def serve(answer: Answer) -> Iterator[LiveServer]:
    """Serve on 127.0.0.1 until the block ends."""
    live = LiveServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            live.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- http.server's name
            """Stay silent."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        live.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield live
        finally:
            server.shutdown()
            thread.join()


def body(content: bytes, status: int = 200, **headers: str) -> Answer:
    """Return an answer that is always the same; header names with _ for -."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer
