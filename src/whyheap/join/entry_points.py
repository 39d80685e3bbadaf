"""Under which entry point of the program bytes are allocated: which handler, which goroutine."""

from __future__ import annotations

import re
from collections.abc import Sequence

from whyheap.join.frames import Frame

_HTTP = re.compile(r"^net/http\.(?:HandlerFunc|\(\*ServeMux\)|serverHandler|\(\*timeoutHandler\))\.ServeHTTP$")
_GRPC = re.compile(
    r"^google\.golang\.org/grpc\.\(\*Server\)\.(?:processUnaryRPC|processStreamingRPC)$|_Handler(?:\.func1)?$"
)


def entry_of(stack: Sequence[Frame]) -> tuple[str, str]:
    """Return the function and its kind for a stack, leaf first.

    The last user frame that net/http or gRPC calls is the handler, so that middleware does not hide it; otherwise the
    goroutine's first user frame, `main` or `init`, and for goroutines without user code their first frame.
    """
    for index, frame in enumerate(stack[:-1]):
        if not frame.is_own or stack[index + 1].is_own:
            continue
        caller = stack[index + 1].site.symbol
        if _HTTP.match(caller):
            return frame.site.symbol, "http"
        if _GRPC.search(caller):
            return frame.site.symbol, "grpc"
    own = next((frame for frame in reversed(stack) if frame.is_own), None)
    if own is None:
        return stack[-1].site.symbol, "goroutine"
    root = stack[-1].site.symbol
    if root == "runtime.main":
        is_init = own.site.function == "init" or own.site.function.startswith("init.")
        return own.site.symbol, "init" if is_init else "main"
    return own.site.symbol, "goroutine"
