from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from host.live_server import body, serve
from whyheap.errors import TargetError, UsageError
from whyheap.host.http import Access, fetch, get, is_loopback, scrub


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_headers_and_credentials_are_sent_and_never_shown() -> None:
    with serve(body(b"hello", X_Kind="text")) as server:
        url = f"http://us%40er:pass@127.0.0.1:{server.port}/a b?debug=1&token=secret#part".replace("a b", "a%20b")
        answer = get(url, Access(headers={"X-Key": "k"}))
    assert (answer.status, answer.body, answer.headers["x-kind"]) == (200, b"hello", "text")
    assert answer.url == f"{server.url}/a%20b?debug=1&token=***"
    path, headers = server.requests[0]
    assert path == "/a%20b?debug=1&token=secret"
    assert headers["x-key"] == "k"
    assert headers["authorization"] == "Basic dXNAZXI6cGFzcw=="
    assert "secret" not in repr(Access(headers={"X-Key": "secret"}))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a:b@host:6060/x", "http://host:6060/x"),
        ("https://host/x?key=1&debug=2#f", "https://host/x?key=***&debug=2"),
        ("http://[::1]:6060/", "http://[::1]:6060/"),
        ("http://[bad", "http://***"),
    ],
)
def test_addresses_are_scrubbed(url: str, shown: str) -> None:
    assert scrub(url) == shown


NO_ADDRESSES = ["ftp://h/", "http://", "http://h:99999999/", "http://[bad", "http://h/a b", "http://h/\n", "x"]


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_address_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="is not an address"):
        get(url)


def test_a_header_with_line_breaks_is_refused() -> None:
    with serve(body(b"")) as server, pytest.raises(UsageError, match="characters that HTTP forbids"):
        get(server.url, Access(headers={"X": "a\r\nY: b"}))


def test_unreachable_says_so() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(TargetError, match=f"{port} cannot be reached: connection refused") as raised:
            get(f"http://me:secret@127.0.0.1:{port}")
    assert "secret" not in raised.value.message
    assert raised.value.hint


def test_an_unknown_host_says_so() -> None:
    with pytest.raises(TargetError, match="cannot be reached"):
        get("http://nowhere.invalid:6060", Access(timeout_seconds=5))


def test_a_status_is_an_error_for_fetch_only() -> None:
    with serve(body(b"no", 403)) as server:
        assert get(server.url).status == 403
        with pytest.raises(TargetError, match="status 403") as raised:
            fetch(server.url)
    assert "--header" in raised.value.hint


def trickle(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def trickle_headers(handler: BaseHTTPRequestHandler) -> None:
    for _ in range(100):
        handler.wfile.write(b"X")
        handler.wfile.flush()
        time.sleep(0.05)


def silent(_: BaseHTTPRequestHandler) -> None:
    time.sleep(2)


@pytest.mark.parametrize("answer", [trickle, trickle_headers, silent])
def test_a_request_as_a_whole_has_a_deadline(answer: object) -> None:
    with serve(answer) as server:  # type: ignore[arg-type]
        begun = time.monotonic()
        with pytest.raises(TargetError, match=r"did not answer within 0.3 s"):
            get(server.url, timeout_seconds=0.3)
        assert time.monotonic() - begun < 1.5


def test_an_endless_body_is_cut() -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(bytes(1 << 16))

    with serve(endless) as server, pytest.raises(TargetError, match="more than 3 MiB"):
        get(server.url, Access(max_body_bytes=3 << 20))


def test_an_answer_that_breaks_off_is_an_error() -> None:
    def half(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"half")

    with serve(half) as server, pytest.raises(TargetError, match="broke off"):
        get(server.url)


def test_what_speaks_no_http_is_named() -> None:
    def other(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"SSH-2.0-x\r\n")

    with serve(other) as server:
        with pytest.raises(TargetError, match="does not answer as an HTTP server"):
            get(server.url)
        with pytest.raises(TargetError, match="does not speak TLS"):
            get(server.url.replace("http", "https"))


def redirect(location: str) -> object:
    return lambda handler: body(b"", 302, Location=location)(handler) if handler.path == "/" else body(b"end")(handler)


def test_redirects_stay_on_the_host() -> None:
    with serve(redirect("/moved?x=1")) as server:  # type: ignore[arg-type]
        assert get(f"http://u:p@127.0.0.1:{server.port}/", Access(headers={"X-Key": "k"})).body == b"end"
        assert [request[0] for request in server.requests] == ["/", "/moved?x=1"]
        assert all("authorization" in headers and "x-key" in headers for _, headers in server.requests)
    with serve(body(b"")) as other:
        elsewhere = f"http://127.0.0.1:{other.port}/?key=1"
        with serve(redirect(elsewhere)) as server:  # type: ignore[arg-type]
            with pytest.raises(TargetError, match="redirects to another address") as raised:
                get(server.url, Access(headers={"X-Key": "k"}))
            assert "key=1" not in raised.value.message
        assert not other.requests
    with serve(redirect("/")) as server, pytest.raises(TargetError, match="redirects more than"):  # type: ignore[arg-type]
        get(server.url)


def test_proxies_serve_others_but_not_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(body(b"proxied")) as proxy, serve(body(b"direct")) as server:
        monkeypatch.setenv("http_proxy", f"http://pu:pp@127.0.0.1:{proxy.port}")
        assert get(server.url).body == b"direct"
        assert get("http://shop.example:6060/debug?x=1").body == b"proxied"
        path, headers = proxy.requests[0]
        assert path == "http://shop.example:6060/debug?x=1"
        assert headers["host"] == "shop.example:6060"
        assert headers["proxy-authorization"] == "Basic cHU6cHA="
        monkeypatch.setenv("no_proxy", "127.0.0.1,.example")
        with pytest.raises(TargetError):
            get("http://shop.example:1/", Access(timeout_seconds=5))
        assert len(proxy.requests) == 1


@pytest.mark.parametrize(
    ("host", "is_local"),
    [("localhost", True), ("127.9.9.9", True), ("::1", True), ("a.localhost", True), ("10.0.0.1", False), ("h", False)],
)
def test_loopback_is_recognised(host: str, is_local: bool) -> None:  # noqa: FBT001 -- a test parameter
    assert is_loopback(host) is is_local


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl")
    folder = tmp_path_factory.mktemp("tls")
    key, authority = folder / "key.pem", folder / "cert.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *names, "-keyout", str(key), "-out", str(authority)], check=True, capture_output=True)
    return key, authority


def tls_once(key: Path, authority: Path) -> tuple[int, threading.Thread]:
    """Serve one TLS connection; return its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, key)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)

    def run() -> None:
        with listener:
            connection, _ = listener.accept()
            with connection:
                try:
                    with context.wrap_socket(connection, server_side=True) as secure:
                        secure.recv(4096)
                        secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                except (ssl.SSLError, OSError):
                    return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return int(listener.getsockname()[1]), thread


def test_certificates_are_checked_unless_told_otherwise(certificate: tuple[Path, Path]) -> None:
    outcomes = []
    for access in (Access(ca_file=str(certificate[1])), Access(insecure=True), Access()):
        port, thread = tls_once(*certificate)
        try:
            outcomes.append(fetch(f"https://127.0.0.1:{port}/", access))
        except TargetError as error:
            assert "certificate that is not trusted" in error.message  # noqa: PT017 -- one of three outcomes
            outcomes.append(b"refused")
        thread.join()
    assert outcomes == [b"ok", b"ok", b"refused"]


def test_a_bad_ca_file_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for path in (tmp_path / "ca.pem", tmp_path / "missing.pem"):
        with pytest.raises(UsageError, match="cannot be used as a file of certificates"):
            get("https://127.0.0.1:1/", Access(ca_file=str(path)))
