"""Which structs and variables of Go's runtime a census reads, and what they mean.

Offsets are never written down here: they come from debug information of the program or of one built by the same Go.
Files are those of src/runtime; each row was read in 1.22.10, 1.23.9, 1.24.11, 1.25.5, 1.26.6 and 1.27.3.

| what | where | versions |
|---|---|---|
| mheap_.allspans: every span; mspan.state, npages, elemsize, spanclass, allocCount | mheap.go mspan | 1.22 to 1.27 |
| span states: 0 dead, 1 in use by the heap, 2 manual (stacks, work buffers) | mheap.go mSpanState | 1.22 to 1.27 |
| mspan.allocCount - allocCountBeforeCache: objects that no statistic counts yet | mcache.go releaseAll | 1.22 to 1.27 |
| mheap_.allArenas, heapArenas and userArenaArenas since 1.25 | mheap.go mheap | as said |
| HeapAlloc = gcController.totalAlloc - totalFree after all mcaches are flushed | mstats.go | 1.22 to 1.27 |
| memstats.heapStats: three deltas whose sum counts | mstats.go consistentHeapStats.unsafeRead | 1.22 to 1.27 |
| gcController.heapInUse, heapFree, heapReleased, heapMarked, gcPercent, memoryLimit | mgcpacer.go | 1.22 to 1.27 |
| work.cpuStats: CPU time of the collector, fields upper case since 1.23 | mstats.go cpuStats | as said |
| gcCPULimiter.lastEnabledCycle | mgclimit.go gcCPULimiterState | 1.22 to 1.27 |
| p.timers.len, .zombies; until 1.22 p.numTimers, deletedTimers | time.go timers, runtime2.go p | as said |
| finqueued, finexecuted | mfinal.go finReadQueueStats | 1.25 to 1.27 |
| allfin: all blocks of finalizers, finblock.cnt of them wait | mfinal.go | 1.22 to 1.27 (finBlock since 1.25) |
| gcCleanups.queued, executed, p.cleanupsQueued | mcleanup.go readQueueStats | 1.25 to 1.27 |
| NumGoroutine = allglen - dead ones kept for reuse - sched.ngsys | proc.go gcount | 1.22 to 1.27 |
| their number: sched.gFree.n and p.gFree.n until 1.24, gList.size since 1.25 | runtime2.go, proc.go gList | as said |
| g.atomicstatus, waitreason, waitreason's texts in waitReasonStrings | runtime2.go | 1.22 to 1.27 |
| mbuckets, bucket, memRecord, mProfCycle, MemProfileRate: the heap profile | mprof.go | 1.22 to 1.27 |
"""

from __future__ import annotations

from typing import Final

TYPES: Final = tuple(
    f"runtime.{name}"
    for name in (
        "bucket",
        "finBlock",
        "finblock",
        "g",
        "gobuf",
        "hchan",
        "heapArena",
        "heapStatsDelta",
        "m",
        "mcache",
        "memRecord",
        "memRecordCycle",
        "mheap",
        "moduledata",
        "mspan",
        "mstats",
        "p",
        "stack",
        "sudog",
        "timer",
        "timers",
    )
)
"""Structs whose layout is kept, those of their fields with them."""

VARIABLES: Final = (
    "internal/runtime/gc.SizeClassToSize",
    "runtime.MemProfileRate",
    "runtime.allfin",
    "runtime.allglen",
    "runtime.allgs",
    "runtime.allm",
    "runtime.allp",
    "runtime.class_to_size",
    "runtime.fingStatus",
    "runtime.finexecuted",
    "runtime.finq",
    "runtime.finqueued",
    "runtime.gcCPULimiter",
    "runtime.gcCleanups",
    "runtime.gcController",
    "runtime.gomaxprocs",
    "runtime.mProfCycle",
    "runtime.mbuckets",
    "runtime.memstats",
    "runtime.mheap_",
    "runtime.ncgocall",
    "runtime.sched",
    "runtime.waitReasonStrings",
    "runtime.work",
)
"""Variables whose addresses are looked for; those that a version has not are left out."""

NEEDED: Final = ("runtime.allgs", "runtime.allp", "runtime.gcController", "runtime.memstats", "runtime.mheap_")
"""Without these there is no census."""

NEWEST: Final = (1, 27)
"""The newest Go that the rows above were read in."""

PAGE_BYTES: Final = 8192  # malloc.go pageSize, 1.22 to 1.27
SPAN_IN_USE: Final = 1  # mheap.go mSpanInUse
SPAN_MANUAL: Final = 2  # mheap.go mSpanManual
ARENA_BYTES: Final = 64 << 20  # malloc.go heapArenaBytes on 64-bit Linux
ARENA_BASE: Final = {"amd64": 0xFFFF800000000000, "arm64": 0}
"""What arena indexes count from, by GOARCH (malloc.go arenaBaseOffset)."""

STATES: Final = {
    0: "idle",
    1: "runnable",
    2: "running",
    3: "syscall",
    4: "waiting",
    6: "dead",
    8: "copystack",
    9: "preempted",
    10: "leaked",
    11: "dead",
}
"""runtime2.go, G status: 10 (_Gleaked) since 1.26, 11 (_Gdeadextra) since 1.27."""
LEAKED = " (leaked)"
"""Behind a reason to wait, of goroutines that a leak profile found unreachable: traceback.go goroutineheader, 1.26."""

SCAN_BIT: Final = 0x1000
"""Set while the collector scans the goroutine's stack (runtime2.go _Gscan)."""

DEAD: Final = frozenset({"idle", "dead"})
"""States of goroutines that are none: not yet begun, or ended and kept for reuse."""

USER_STARTS: Final = frozenset({"runtime.main", "runtime.corostart", "runtime.handleAsyncEvent"})
"""Goroutines of the runtime that count as the user's (traceback.go isSystemGoroutine)."""

RUNTIME_PACKAGES: Final = ("runtime.", "internal/runtime/", "runtime/internal/")
"""Prefixes of functions that name the runtime's variables."""
