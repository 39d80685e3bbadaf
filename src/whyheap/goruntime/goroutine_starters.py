"""Functions whose go statement stands for their caller's: that line says nothing of who started a goroutine.

| function | source |
|---|---|
| sync.(*WaitGroup).Go | sync/waitgroup.go, since 1.25 |
| golang.org/x/sync/errgroup.(*Group).Go, TryGo | golang.org/x/sync errgroup/errgroup.go |

The function that the goroutine runs for them is the one above theirs on its stack, most often a closure that is named
after the caller.
"""

from __future__ import annotations

STARTERS = frozenset(
    {
        "sync.(*WaitGroup).Go",
        "golang.org/x/sync/errgroup.(*Group).Go",
        "golang.org/x/sync/errgroup.(*Group).TryGo",
        "golang.org/x/sync/errgroup.(*Group).add",
    }
)
