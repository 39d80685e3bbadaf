"""Goroutines that std starts on behalf of its caller, and the function that starts them.

A heap profile has no "created by": bytes of such a goroutine belong to whoever called the starting function. That one
is still on the stack of a waiting goroutine, so the goroutine profile names the user's line.

| goroutine | started by | source |
|---|---|---|
| net/http.(*conn).serve | net/http.(*Server).Serve | net/http/server.go, Serve: `go c.serve(connCtx)`; 1.22 to 1.27 |
| net/http.(*connReader).backgroundRead | the same | net/http/server.go, startBackgroundRead; 1.22 to 1.27 |
"""

from __future__ import annotations

STARTED_BY = {
    "net/http.(*conn).serve": "net/http.(*Server).Serve",
    "net/http.(*connReader).backgroundRead": "net/http.(*Server).Serve",
}
"""Root function of a goroutine -> function of std that starts it and stays on its caller's stack."""
