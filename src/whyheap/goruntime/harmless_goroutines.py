"""Goroutines that a test leaves and that are no leak: they belong to the process, or end by themselves.

The runtime's own goroutines are in no stack listing (isSystemGoroutine in runtime/traceback.go), and what ran before
the tests is not theirs. A rule fits a goroutine whose trace has all of its functions, as frames or as its creator.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Harmless:
    """A kind of goroutine: the functions that tell it, and why it is no leak. `said` is shown where a test left one."""

    name: str
    functions: tuple[str, ...]
    reason: str
    said: str = ""


_IDLE = "idle connections of an HTTP client (their transport keeps them; CloseIdleConnections ends them)"

HARMLESS = (
    Harmless(
        "signals",
        ("os/signal.loop",),
        "started once, by the first signal.Notify, and never ended (os/signal/signal_unix.go, 1.22 to 1.27)",
    ),
    Harmless(
        "finalizers",
        ("runtime.createfing",),
        "runs finalizers, and is listed only while one runs (runtime/mfinal.go, 1.22 to 1.27)",
    ),
    Harmless(
        "cleanups",
        ("runtime.(*cleanupQueue).createGs",),
        "runs runtime.AddCleanup's functions, and is listed only while one runs (runtime/mcleanup.go, since 1.25)",
    ),
    Harmless(
        "idle http connection",
        ("net/http.(*persistConn).readLoop", "bufio.(*Reader).Peek"),
        "between two requests (net/http/transport.go, readLoop): with a body that was not closed it waits elsewhere; "
        "http.DefaultTransport closes it after 90 s",
        _IDLE,
    ),
    Harmless(
        "write half of an http connection",
        ("net/http.(*persistConn).writeLoop",),
        "ends with its readLoop, which tells whether the connection is in use (net/http/transport.go)",
    ),
    Harmless(
        "http/2 connection",
        ("net/http.(*http2clientConnReadLoop).run",),
        "kept by its transport; what a request waits for has a goroutine of its own (net/http/h2_bundle.go, to 1.26)",
        _IDLE,
    ),
    Harmless(
        "http/2 connection since 1.27",
        ("net/http/internal/http2.(*clientConnReadLoop).run",),
        "the same (net/http/internal/http2/transport.go, since 1.27)",
        _IDLE,
    ),
    Harmless(
        "http/2 connection of x/net",
        ("golang.org/x/net/http2.(*clientConnReadLoop).run",),
        "the same (golang.org/x/net/http2/transport.go)",
        _IDLE,
    ),
    Harmless(
        "name lookup in C",
        ("net.doBlockingWithCtx[...].func1",),
        "getaddrinfo cannot be cancelled; it ends by itself (net/cgo_unix.go, doBlockingWithCtx, 1.22 to 1.27)",
    ),
)
