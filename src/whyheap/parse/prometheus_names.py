r"""What Prometheus calls the numbers of a Go process and its container, and what we call them.

| who | names | source |
|---|---|---|
| client_golang's Go collector | `go_memstats_*`, `go_goroutines`, `go_gc_duration_seconds_count` = NumGC | \
prometheus/go_collector.go |
| the same, runtime/metrics | `go_gc_heap_live_bytes`, ... | prometheus/internal/go_runtime_metrics.go |
| its process collector | `process_*` | prometheus/process_collector.go |
| cAdvisor in the kubelet | `container_*` | google/cadvisor metrics/prometheus.go |
| kube-state-metrics | `kube_pod_container_*` | docs/metrics/workload/pod-metrics.md |

A working set is usage less inactive_file: what the kernel can take back at once is left out, as in `container_usage`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

PROCESS_NAMES: Mapping[str, str] = {
    "go_memstats_heap_alloc_bytes": "heap_alloc",
    "go_memstats_heap_inuse_bytes": "heap_inuse",
    "go_memstats_heap_idle_bytes": "heap_idle",
    "go_memstats_heap_released_bytes": "heap_released",
    "go_memstats_heap_sys_bytes": "heap_sys",
    "go_memstats_heap_objects": "heap_objects",
    "go_memstats_stack_inuse_bytes": "stack_inuse",
    "go_memstats_stack_sys_bytes": "stack_sys",
    "go_memstats_sys_bytes": "sys",
    "go_memstats_alloc_bytes_total": "total_alloc",
    "go_memstats_next_gc_bytes": "heap_goal",
    "go_memstats_last_gc_time_seconds": "last_gc",
    "go_memstats_gc_cpu_fraction": "gc_cpu",
    "go_gc_duration_seconds_count": "num_gc",
    "go_gc_cycles_total_gc_cycles_total": "num_gc",
    "go_gc_cycles_forced_gc_cycles_total": "num_forced_gc",
    "go_gc_heap_live_bytes": "heap_marked",
    "go_gc_heap_goal_bytes": "heap_goal",
    "go_gc_scan_stack_bytes": "stack_scan",
    "go_gc_scan_globals_bytes": "globals_scan",
    "go_gc_limiter_last_enabled_gc_cycle": "gc_limiter_cycle",
    "go_cpu_classes_gc_total_cpu_seconds_total": "gc_cpu_seconds",
    "go_gc_gogc_percent": "gogc",
    "go_gc_gomemlimit_bytes": "memory_limit",
    "go_sched_gomaxprocs_threads": "gomaxprocs",
    "go_cgo_go_to_c_calls_calls_total": "cgo_calls",
    "go_goroutines": "goroutines",
    "go_threads": "threads",
    "process_resident_memory_bytes": "rss",
    "process_virtual_memory_bytes": "vm_size",
    "process_start_time_seconds": "process_started",
    "process_virtual_memory_max_bytes": "address_space_limit",
}
METADATA_NAMES = (
    "go_memstats_mspan_sys_bytes",
    "go_memstats_mcache_sys_bytes",
    "go_memstats_buck_hash_sys_bytes",
    "go_memstats_gc_sys_bytes",
    "go_memstats_other_sys_bytes",
)
"""Their sum is `runtime_metadata`."""
CONTAINER_NAMES: Mapping[str, str] = {
    "container_memory_working_set_bytes": "container_usage",
    "container_memory_usage_bytes": "container_charge",
    "container_memory_rss": "container_anon",
    "container_memory_cache": "container_file",
    "container_memory_total_inactive_file_bytes": "container_inactive_file",
    "container_memory_kernel_usage": "container_kernel",
    "container_memory_swap": "container_swap",
    "container_memory_max_usage_bytes": "container_peak",
    "container_memory_failcnt": "container_max_hits",
    "container_spec_memory_limit_bytes": "container_limit",
    "container_oom_events_total": "container_oom_kills",
    "container_processes": "container_processes",
    "container_pressure_memory_waiting_seconds_total": "psi_some_seconds",
    "container_pressure_memory_stalled_seconds_total": "psi_full_seconds",
}
LIMIT_NAME = "kube_pod_container_resource_limits"
REQUEST_NAME = "kube_pod_container_resource_requests"
RESTARTS_NAME = "kube_pod_container_status_restarts_total"
REASON_NAME = "kube_pod_container_status_last_terminated_reason"
EXIT_CODE_NAME = "kube_pod_container_status_last_terminated_exitcode"
CLUSTER_NAMES = (LIMIT_NAME, REQUEST_NAME, RESTARTS_NAME, REASON_NAME, EXIT_CODE_NAME)

_NONE_FROM = 2.0**62
_ABSENT_AT = dict.fromkeys(("memory_limit", "address_space_limit", "heap_goal", "container_limit"), _NONE_FROM)
"""So large a limit is none; a goal, GOGC=off."""
_ABSENT_WHEN_ZERO = frozenset({"container_limit", "container_request", "heap_goal", "address_space_limit"})
_LEAST = -1.0
"""GOGC=off as runtime/debug tells it (-1); client_golang reads /gc/gogc:percent, where off is the largest uint64."""


def process_values(scraped: Mapping[str, float]) -> dict[str, float]:
    """Return one scrape of a process under our names; what is not told, or means "none", is left out."""
    values = _renamed(scraped, PROCESS_NAMES)
    if METADATA_NAMES[0] in scraped:
        values["runtime_metadata"] = sum(scraped.get(name, 0.0) for name in METADATA_NAMES)
    if values.get("gogc", 0.0) >= _NONE_FROM:
        values["gogc"] = _LEAST
    return values


def container_values(scraped: Mapping[str, float]) -> dict[str, float]:
    """Return one scrape of a container under our names."""
    return _renamed(scraped, CONTAINER_NAMES)


def name_matcher(names: Iterable[str]) -> str:
    """Return a matcher for any of these metrics."""
    return f'__name__=~"{"|".join(names)}"'


def _renamed(scraped: Mapping[str, float], names: Mapping[str, str]) -> dict[str, float]:
    values = {ours: scraped[theirs] for theirs, ours in names.items() if theirs in scraped}
    return {
        name: value
        for name, value in values.items()
        if value >= _LEAST and value < _ABSENT_AT.get(name, float("inf")) and (value or name not in _ABSENT_WHEN_ZERO)
    }
