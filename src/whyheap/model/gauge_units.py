"""Every gauge by name, with its unit: the vocabulary that witnesses write, captures keep and causes read.

One moment is a set of gauges with the same `at`. A name means the same whoever said it (pprof, expvar, /metrics, a
census, Prometheus, gctrace): where two witnesses of one moment tell the same number, the nearer one wins (census, then
HTTP). A number that nobody told is absent, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping

RUNTIME: Mapping[str, str] = {
    "heap_alloc": "bytes",  # objects, live and not yet swept
    "heap_marked": "bytes",  # live at the last mark: /gc/heap/live:bytes, gcController.heapMarked
    "heap_goal": "bytes",
    "heap_inuse": "bytes",
    "heap_idle": "bytes",
    "heap_released": "bytes",
    "heap_sys": "bytes",
    "heap_objects": "count",
    "stack_inuse": "bytes",
    "stack_sys": "bytes",  # goroutine stacks and the runtime's own
    "runtime_metadata": "bytes",
    "sys": "bytes",
    "total_alloc": "bytes",
    "num_gc": "count",
    "num_forced_gc": "count",
    "last_gc": "seconds",  # since 1970; 0 = never
    "previous_gc": "seconds",  # the end of the collection before the last; absent = there was none, or not told
    "earlier_gc": "seconds",  # that of the one before
    "gc_cpu": "share",  # of all CPU since the start
    "gc_cpu_seconds": "seconds",  # since the start
    "gc_limiter_cycle": "count",  # the collection in which the CPU limiter was last on: /gc/limiter/last-enabled
    "globals_scan": "bytes",  # /gc/scan/globals:bytes
    "stack_scan": "bytes",  # /gc/scan/stack:bytes
    "finalizers_queued": "count",  # since the start, as the three below
    "finalizers_executed": "count",
    "finalizers_waiting": "count",  # now; Go before 1.25 tells no totals
    "cleanups_queued": "count",
    "cleanups_executed": "count",
    "max_rss": "bytes",
    "goroutines": "count",
    "threads": "count",
    "cgo_calls": "count",  # since the start
    "timers": "count",
    "gogc": "count",  # percent; -1 = off
    "memory_limit": "bytes",  # GOMEMLIMIT; absent = none or unknown
    "gomaxprocs": "count",
}
PROCESS: Mapping[str, str] = {
    "process_started": "seconds",  # since 1970; another one is another process
    "rss": "bytes",
    "rss_anon": "bytes",
    "rss_file": "bytes",
    "rss_shmem": "bytes",
    "swap": "bytes",
    "vm_size": "bytes",
    "mappings": "count",
    "address_space_limit": "bytes",  # RLIMIT_AS; absent = unlimited
    "data_limit": "bytes",  # RLIMIT_DATA
    "process_limit": "count",  # RLIMIT_NPROC
    "mapping_limit": "count",  # vm.max_map_count
}
# Resident bytes of one smaps read, by class; their sum is smaps_rss.
SMAPS: Mapping[str, str] = {
    "smaps_rss": "bytes",
    "smaps_pss": "bytes",
    "smaps_go_heap": "bytes",  # arenas, goroutine stacks within them included
    "smaps_go_heap_inferred": "count",  # 1 = told by where Go puts its heap, neither by its arenas nor by the kernel
    "smaps_go_stacks": "bytes",  # stacks that lie outside of arenas, where the kernel names them
    "smaps_go_metadata": "bytes",
    "smaps_text": "bytes",  # the program's own file: code, rodata
    "smaps_data": "bytes",  # its data and bss
    "smaps_libraries": "bytes",
    "smaps_c_heap": "bytes",  # [heap] and the C allocator's arenas
    "smaps_thread_stacks": "bytes",
    "smaps_other_anon": "bytes",  # anonymous memory that neither Go nor the C allocator mapped
    "smaps_shared": "bytes",  # tmpfs, memfd, System V and shared anonymous memory
    "smaps_file": "bytes",  # other mapped files
    "smaps_special": "bytes",  # vdso and the like
    "smaps_huge": "bytes",  # of all, in transparent huge pages
}
# Of the group whose limit is nearest, parents considered; `limit_name` says which one that is.
CONTAINER: Mapping[str, str] = {
    "container_limit": "bytes",
    "container_request": "bytes",  # what Kubernetes reserves for it on its node; above it, it may be evicted
    "container_usage": "bytes",  # without what the kernel can reclaim at once
    "container_charge": "bytes",  # all that is charged
    "container_peak": "bytes",
    "container_high": "bytes",  # v2 memory.high; absent = max
    "container_anon": "bytes",
    "container_file": "bytes",  # page cache, shmem included
    "container_inactive_file": "bytes",
    "container_shmem": "bytes",
    "container_kernel": "bytes",  # slab, kernel stacks, page tables, sockets
    "container_slab_reclaimable": "bytes",
    "container_swap": "bytes",
    "container_swap_limit": "bytes",
    "container_processes": "count",
    "container_other_rss": "bytes",  # anonymous and shared memory of its other processes, each counted by itself
    "container_own_charge": "bytes",  # of the process's own group, where the limit is a parent's
    "container_oom_kills": "count",  # processes killed since the group began; without a limit, in the process's own
    "container_ooms": "count",
    "container_max_hits": "count",  # failcnt, or events' max
    "container_high_hits": "count",
    "container_pids": "count",  # threads, of the group of its chain that has the least room for more
    "container_pids_limit": "count",
    "psi_some_avg10": "share",  # of time in which a task waited for memory: of the group, else of the machine
    "psi_full_avg10": "share",
    "psi_some_seconds": "seconds",
    "psi_full_seconds": "seconds",
}
MACHINE: Mapping[str, str] = {
    "machine_memory": "bytes",
    "machine_usage": "bytes",
    "machine_swap_free": "bytes",
}
RECORDER: Mapping[str, str] = {
    "seconds": "seconds",  # since the first sample, by a clock that does not jump
    "recorder_seconds": "seconds",  # what this sample took
}
UNITS: Mapping[str, str] = {**RECORDER, **RUNTIME, **PROCESS, **SMAPS, **CONTAINER, **MACHINE}
"""Every gauge with its unit."""
