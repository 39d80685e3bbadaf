"""Under which handler, goroutine or start function bytes are allocated."""

from __future__ import annotations

import pytest

from join_samples import GOEXIT, HERE, MALLOC, MODULE, RUNTIME, Call, own, profile, sample, shop, std
from whyheap.join import join

SERVE = [
    std("net/http.serverHandler.ServeHTTP", "net/http/server.go"),
    std("net/http.(*conn).serve", "net/http/server.go"),
    GOEXIT,
]
MUX = std("net/http.(*ServeMux).ServeHTTP", "net/http/server.go")
FUNC = std("net/http.HandlerFunc.ServeHTTP", "net/http/server.go")
GRPC = ("google.golang.org/grpc.(*Server).processUnaryRPC", "/m/pkg/mod/google.golang.org/grpc@v1.0.0/server.go", 9)
STUB = own("_Shop_Get_Handler", 90, "shoppb/shop.pb.go", "shoppb")
GIN = ("github.com/gin-gonic/gin.(*Context).Next", "/m/pkg/mod/github.com/gin-gonic/gin@v1.9.0/context.go", 174)
ENGINE = ("github.com/gin-gonic/gin.(*Engine).ServeHTTP", GIN[1].replace("context", "gin"), 573)
HANDLER = own("(*Server).orders", 7)


@pytest.mark.parametrize(
    ("stack", "function", "kind"),
    [
        ([MALLOC, own("render", 3), HANDLER, FUNC, MUX, *SERVE], f"{MODULE}/cache.(*Server).orders", "http"),
        (
            [MALLOC, HANDLER, FUNC, own("logging.func1", 9), FUNC, own("auth.func1", 11), FUNC, MUX, *SERVE],
            f"{MODULE}/cache.(*Server).orders",
            "http",
        ),
        ([own("(*mine).ServeHTTP", 4), *SERVE], f"{MODULE}/cache.(*mine).ServeHTTP", "http"),
        ([MALLOC, HANDLER, GRPC, GOEXIT], f"{MODULE}/cache.(*Server).orders", "grpc"),
        ([MALLOC, HANDLER, GIN, own("auth", 2), GIN, ENGINE, *SERVE], f"{MODULE}/cache.(*Server).orders", "http"),
        (
            [own("less", 1), std("sort.Slice", "sort/slice.go"), HANDLER, GIN, ENGINE, *SERVE],
            f"{MODULE}/cache.(*Server).orders",
            "http",
        ),
        ([own("refresh", 3), own("(*Cache).loop", 5), GOEXIT], f"{MODULE}/cache.(*Cache).loop", "goroutine"),
        ([own("refresh", 3), own("(*Cache).loop", 5)], f"{MODULE}/cache.(*Cache).loop", "goroutine"),
        (
            [own("load", 3), ("main.main", f"{HERE}/cmd/shop/main.go", 9), RUNTIME, GOEXIT],
            f"{MODULE}/cmd/shop.main",
            "main",
        ),
        ([own("load", 3), ("main.main", f"{HERE}/cmd/shop/main.go", 9), RUNTIME], f"{MODULE}/cmd/shop.main", "main"),
        (
            [own("init.0", 3), std("runtime.doInit1", "runtime/proc.go"), RUNTIME, GOEXIT],
            f"{MODULE}/cache.init.0",
            "init",
        ),
        ([own("init", 3), std("runtime.doInit1", "runtime/proc.go"), RUNTIME], f"{MODULE}/cache.init", "init"),
        (
            [MALLOC, std("net/http.(*persistConn).readLoop", "net/http/transport.go"), GOEXIT],
            "net/http.(*persistConn).readLoop",
            "goroutine",
        ),
    ],
)
def test_entry_points(stack: list[Call], function: str, kind: str) -> None:
    (entry,) = join(shop(), profile([sample(stack)])).entry_points
    assert (entry.function, entry.kind) == (function, kind)


def test_the_handler_of_a_grpc_service_is_behind_its_generated_stub() -> None:
    (entry,) = join(shop(), profile([sample([MALLOC, HANDLER, STUB, GRPC, GOEXIT])])).entry_points
    assert (entry.function, entry.kind) == (f"{MODULE}/cache.(*Server).orders", "grpc")


def test_entries_are_ranked_by_what_they_allocate() -> None:
    stacks = [sample([own(name, 3), GOEXIT], alloc=alloc) for name, alloc in (("a", 5), ("b", 50), ("c", 5), ("b", 1))]
    entries = join(shop(), profile(stacks)).entry_points
    assert [(one.function.rpartition(".")[2], one.measure.alloc_bytes) for one in entries] == [
        ("b", 51),
        ("a", 5),
        ("c", 5),
    ]
