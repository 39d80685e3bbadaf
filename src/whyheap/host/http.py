"""GET over HTTP and HTTPS: bounded in time and size; credentials go only to the host that they were given for."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urljoin, urlsplit

from whyheap.errors import TargetError, UsageError

if TYPE_CHECKING:
    import http.client
    import socket
    import ssl

_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK = 200
_PIECE_BYTES = 1 << 18
_SHOWN_PARAMETERS = frozenset({"debug", "seconds", "gc", "proto"})  # pprof's own; any other may be a secret
_HIDDEN = "***"
_IS_IT_ALIVE = "Is the process still alive?"


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a target. Nothing of it is ever stored or shown.

    `timeout_seconds` bounds one request as a whole, `connect_timeout_seconds` its first part. `ca_file` holds
    certificates to trust instead of the system's; `insecure` skips the check of the server's certificate.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 5.0
    ca_file: str = ""
    insecure: bool = False
    max_body_bytes: int = 512 << 20


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: `url` is scrubbed, `headers` have lower-case names."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


_DEFAULT_ACCESS = Access()


def fetch(url: str, access: Access = _DEFAULT_ACCESS, timeout_seconds: float | None = None) -> bytes:
    """Return the body of an answer with status 200.

    Raises:
        TargetError: no answer, or another status.
    """
    answer = get(url, access, timeout_seconds)
    if answer.status != _OK:
        raise TargetError(f"{answer.url} answers with status {answer.status}.", status_hint(answer.status))
    return answer.body


def get(url: str, access: Access = _DEFAULT_ACCESS, timeout_seconds: float | None = None) -> Response:
    """Read an address, whatever the status; redirects are followed on the same host only.

    `timeout_seconds` overrides that of `access`.

    Raises:
        UsageError: the address, a header or the CA file cannot be used.
        TargetError: not reached, too slow, too big, a bad certificate, or a redirect elsewhere.
    """
    seconds = access.timeout_seconds if timeout_seconds is None else timeout_seconds
    deadline = time.monotonic() + seconds
    parts = _split(url)
    for _ in range(_MOST_REDIRECTS + 1):
        answer = _request(parts, access, deadline, seconds)
        if answer.status not in _REDIRECTS or "location" not in answer.headers:
            return answer
        parts = _redirected(parts, answer.headers["location"])
    raise TargetError(f"{scrub(url)} redirects more than {_MOST_REDIRECTS} times.", "Name the final address.")


def scrub(url: str) -> str:
    """Return an address without user, password, fragment and the values of parameters that pprof does not know."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        query = urlencode(
            [
                (name, value if name in _SHOWN_PARAMETERS else _HIDDEN)
                for name, value in parse_qsl(parts.query, keep_blank_values=True)
            ],
            safe="*",
        )
        return SplitResult(parts.scheme, host, parts.path, query, "").geturl()
    except ValueError:  # not an address: whatever it holds is not shown
        return f"{url.partition(':')[0][:8]}://{_HIDDEN}"


def status_hint(status: int) -> str:
    """Return the way out of a status that is not 200."""
    if status in (401, 403):
        return "Give what it asks for:  --header 'Authorization: Bearer ...'"
    if status in (502, 503, 504):
        return "The service behind this address does not answer: use the service's own address."
    return "Check the address, or ask the service's own port rather than a proxy."


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0]).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(ord(character) <= ord(" ") or ord(character) == 127 for character in url):  # noqa: PLR2004 -- DEL
        raise UsageError(f"{scrub(url)} is not an address.", "Write http://HOST:PORT or https://HOST:PORT.")
    return parts


def _request(parts: SplitResult, access: Access, deadline: float, seconds: float) -> Response:
    import http.client  # noqa: PLC0415 -- 30 ms, which targets without a URL need not pay

    shown = scrub(parts.geturl())
    too_slow = TargetError(
        f"{shown} did not answer within {seconds:g} s.",
        "Is the service overloaded or stopped? Allow more time with --timeout.",
    )
    left = deadline - time.monotonic()
    if left <= 0:
        raise too_slow
    connection, selector, headers = _connection(parts, access, min(access.connect_timeout_seconds, left))
    with contextlib.closing(connection), _Watchdog(deadline) as watchdog:
        try:
            connection.connect()
            watchdog.watch(connection.sock)
            connection.request("GET", selector, headers=headers)
            with connection.getresponse() as answer:
                body = _read_body(answer, access.max_body_bytes, shown, watchdog)
                if watchdog.expired:
                    raise too_slow
                found = {name.lower(): value for name, value in answer.getheaders()}
                return Response(shown, answer.status, found, body)
        except TimeoutError as error:
            if time.monotonic() < deadline:
                raise TargetError(
                    f"{shown} cannot be reached: no connection within {access.connect_timeout_seconds:g} s.",
                    "Is the host right, and does a firewall or network policy stand in between?",
                ) from error
            raise too_slow from error
        except (OSError, http.client.HTTPException) as error:
            if watchdog.expired:
                raise too_slow from error
            raise _failure(error, shown) from error
        except (ValueError, UnicodeError) as error:
            raise UsageError(f"A header or the address for {shown} has characters that HTTP forbids.") from error


def _connection(
    parts: SplitResult, access: Access, timeout_seconds: float
) -> tuple[http.client.HTTPConnection, str, dict[str, str]]:
    """Return an unopened connection (to the environment's proxy if there is one), the request's target and headers."""
    import http.client  # noqa: PLC0415 -- see _request

    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    selector = (quote(parts.path, safe="/%:@!$&'()*+,;=~") or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Accept-Encoding": "identity", "User-Agent": "whyheap", "Connection": "close"}
    if parts.username is not None:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(secret).decode("ascii")
    headers |= access.headers
    proxy = _proxy(parts.scheme, host)
    if parts.scheme == "https":
        context = _tls(access)
        if proxy is None:
            return http.client.HTTPSConnection(host, port, timeout=timeout_seconds, context=context), selector, headers
        secure = http.client.HTTPSConnection(proxy[0], proxy[1], timeout=timeout_seconds, context=context)
        secure.set_tunnel(host, port, headers=proxy[2])
        return secure, selector, headers
    if proxy is None:
        return http.client.HTTPConnection(host, port, timeout=timeout_seconds), selector, headers
    netloc = parts.netloc.rpartition("@")[2]
    plain = http.client.HTTPConnection(proxy[0], proxy[1], timeout=timeout_seconds)
    return plain, f"http://{netloc}{selector}", headers | proxy[2]


def _tls(access: Access) -> ssl.SSLContext:
    import ssl  # noqa: PLC0415 -- as in _request

    try:
        context = ssl.create_default_context(cafile=access.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"{access.ca_file} cannot be used as a file of certificates: {_words(error)}.") from error
    if access.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _proxy(scheme: str, host: str) -> tuple[str, int, dict[str, str]] | None:
    """Return host, port and credentials of the environment's proxy; None for this machine and what it excepts."""
    name = f"{scheme}_proxy"
    setting = os.environ.get(name) or os.environ.get(name.upper(), "")
    if not setting or is_loopback(host):
        return None
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined] # noqa: PLC0415 -- rarely needed

    if proxy_bypass_environment(host):
        return None
    parts = urlsplit(setting if "://" in setting else f"http://{setting}")
    headers = {}
    if parts.username is not None:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["Proxy-Authorization"] = "Basic " + base64.b64encode(secret).decode("ascii")
    return parts.hostname or "", parts.port or 80, headers


def _redirected(parts: SplitResult, location: str) -> SplitResult:
    """Return where to go on; the same host only, and never from https back to http."""
    target = _split(urljoin(parts.geturl(), location))
    same_port = (target.scheme, target.port) == (parts.scheme, parts.port)
    upgraded = parts.scheme == "http" and target.scheme == "https"
    if target.hostname != parts.hostname or not (same_port or upgraded):
        raise TargetError(
            f"{scrub(parts.geturl())} redirects to another address, {scrub(target.geturl())}.",
            "Name that address as the target if it is the service that you mean.",
        )
    credentials, at, _ = parts.netloc.rpartition("@")
    return target._replace(netloc=credentials + at + target.netloc.rpartition("@")[2], fragment="")


def _read_body(answer: http.client.HTTPResponse, limit_bytes: int, shown: str, watchdog: _Watchdog) -> bytes:
    body = bytearray()
    while piece := answer.read(_PIECE_BYTES):
        body += piece
        if len(body) > limit_bytes:
            raise TargetError(f"{shown} sends more than {limit_bytes >> 20} MiB, which no heap profile needs.")
    if answer.length and not watchdog.expired:  # what was announced and did not come
        raise TargetError(f"{shown} broke off in the middle of its answer.", _IS_IT_ALIVE)
    return bytes(body)


def _failure(error: Exception, shown: str) -> TargetError:
    """Return one sentence for what the network or the other side did."""
    import http.client  # noqa: PLC0415 -- see _request
    import socket  # noqa: PLC0415 -- see _request
    import ssl  # noqa: PLC0415 -- see _request

    if isinstance(error, ssl.SSLCertVerificationError):
        return TargetError(
            f"{shown} has a certificate that is not trusted: {error.verify_message}.",
            "Name the authority's certificate with --ca-file, or skip the check with --insecure.",
        )
    if isinstance(error, ssl.SSLError):
        return TargetError(f"{shown} does not speak TLS.", "Try http:// instead of https://.")
    if isinstance(error, http.client.IncompleteRead):
        return TargetError(f"{shown} broke off in the middle of its answer.", _IS_IT_ALIVE)
    if isinstance(error, (http.client.HTTPException, ConnectionResetError, BrokenPipeError)):
        return TargetError(f"{shown} does not answer as an HTTP server does.", "Is it https://, or another port?")
    if isinstance(error, socket.gaierror):
        return TargetError(f"{shown} cannot be reached: the host name is not known.", "Check the host's name.")
    return TargetError(
        f"{shown} cannot be reached: {_words(error)}.", "Is the service running, and does it listen on this address?"
    )


def _words(error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) else ""
    return (reason or str(error) or type(error).__name__).lower().rstrip(".")


class _Watchdog:
    """Breaks a connection at the deadline: a socket's own timeout begins anew with every byte that trickles in."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._timer: threading.Timer | None = None
        self.expired = False

    def __enter__(self) -> Self:
        return self

    def watch(self, channel: socket.socket) -> None:
        """Start: `channel` is connected. The connection itself forgets it when the answer's end is not announced."""
        left = max(0.001, self._deadline - time.monotonic())
        channel.settimeout(left)
        self._timer = threading.Timer(left, self._expire, (channel,))
        self._timer.daemon = True
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()

    def _expire(self, channel: socket.socket) -> None:
        import socket  # noqa: PLC0415 -- loaded already by then

        self.expired = True
        with contextlib.suppress(OSError):
            channel.shutdown(socket.SHUT_RDWR)
