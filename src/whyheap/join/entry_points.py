"""Under which entry point of the program bytes are allocated: which handler, which goroutine."""

from __future__ import annotations

import re

from whyheap.join.frames import Frame, Role, Stack

_CALLED = re.compile(f"[{Role.OWN}{Role.GRPC_STUB}](?=[{Role.GRPC}{Role.GRPC_STUB}{Role.HTTP}{Role.HTTP_SERVER}])")
_NET_HTTP = f"{Role.HTTP}{Role.HTTP_SERVER}{Role.NET_HTTP}"
_OWN = f"{Role.OWN}{Role.GRPC_STUB}"


def entry_of(stack: Stack) -> tuple[str, str]:
    """Return the function and its kind for a stack.

    The last user frame that net/http, the router behind it or gRPC calls is the handler, so that middleware does not
    hide it; otherwise the goroutine's first user frame, `main` or `init`, and for goroutines without user code their
    first frame.
    """
    roles = stack.roles[:-1] if len(stack.roles) > 1 and stack.roles[-1] == Role.GOEXIT else stack.roles
    called = _CALLED.search(roles)
    routed = _routed(stack, roles)
    if routed is not None and (called is None or routed < called.start()):
        return stack.frame(routed).site.symbol, "http"
    if called is not None:
        is_http = roles[called.start() + 1] in {Role.HTTP, Role.HTTP_SERVER}
        return stack.frame(called.start()).site.symbol, "http" if is_http else "grpc"
    own = stack.last_own
    if own < 0:
        return stack.frame(len(roles) - 1).site.symbol, "goroutine"
    frame = stack.frame(own)
    if roles[-1] == Role.MAIN:
        return frame.site.symbol, "init" if _is_init(frame) else "main"
    return frame.site.symbol, "goroutine"


def _is_init(frame: Frame) -> bool:
    return frame.site.function == "init" or frame.site.function.startswith("init.")


def _routed(stack: Stack, roles: str) -> int | None:
    """Return the leaf-most user frame that a router behind net/http's server calls, None without such a router."""
    server = roles.rfind(Role.HTTP_SERVER)
    if server <= 0 or roles[server - 1] in _OWN or roles[server - 1] in _NET_HTTP:
        return None
    router = stack.frame(server - 1).site.package
    for index in range(server - 1):
        is_called = roles[index] in _OWN and roles[index + 1] not in _OWN
        if is_called and stack.frame(index + 1).site.package == router:
            return index
    return None
