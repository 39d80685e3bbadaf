"""GOMEMLIMIT and GOGC as a pod sets them: a value, one of the container's resources, or a key of a config map."""

from __future__ import annotations

from collections.abc import Callable

from whyheap.errors import WhyheapError
from whyheap.goruntime.heap_goal import parse_gc_percent, parse_memory_limit
from whyheap.model.gauge import Gap
from whyheap.parse.kubernetes_events import WITNESS
from whyheap.parse.kubernetes_pod import Container, Pod, Setting, SettingSource

_BY_HAND = "Serve /metrics with the Go collector, which tells both."

ReadKey = Callable[[str, str], str | None]
"""Returns one key of a config map, None where it has none. Raises WhyheapError."""


def tuning_of(pod: Pod, container: Container, read_key: ReadKey) -> tuple[dict[str, float], list[Gap]]:
    """Return `memory_limit` (bytes) and `gogc` (percent) as the pod sets them; what it does not set is absent.

    An image may set them too, and a program may change them later: neither is seen here.
    """
    values: dict[str, float] = {}
    gaps: list[Gap] = []
    for name in ("GOMEMLIMIT", "GOGC"):
        text, gap = _value(name, pod, container, read_key)
        if gap is not None:
            gaps.append(gap)
        if text is None:
            continue
        if name == "GOGC":
            percent = parse_gc_percent(text)
            if percent is not None:
                values["gogc"] = float(percent)
            continue
        limit = parse_memory_limit(text)
        if limit is not None:
            values["memory_limit"] = float(limit)
        elif text != "off":
            gaps.append(Gap(WITNESS, "GOMEMLIMIT is set to what Go does not read as a size: the program ends at once"))
    return values, gaps


def _value(name: str, pod: Pod, container: Container, read_key: ReadKey) -> tuple[str | None, Gap | None]:
    """Return what a variable is set to, by the first place that sets it."""
    for setting in container.settings:
        if setting.name != name:
            continue
        if setting.source is SettingSource.VALUE:
            return setting.value, None
        if setting.source is SettingSource.RESOURCE:
            return _of_resources(setting, pod)
        if setting.source is SettingSource.UNREADABLE:
            if setting.may_be_missing:
                continue
            return None, Gap(WITNESS, f"{name} comes from a secret or another variable, which is not read", _BY_HAND)
        try:
            found = read_key(setting.of, setting.key)
        except WhyheapError as error:
            return None, Gap(WITNESS, f"{name} may come from a config map: {error.message}", error.hint)
        if found is not None:
            return found.strip(), None
    return None, None


def _of_resources(setting: Setting, pod: Pod) -> tuple[str | None, Gap | None]:
    """Compute a resourceFieldRef: the resource in units of the divisor, rounded up."""
    container = next((one for one in pod.containers if one.name == setting.of), None)
    sizes = {
        "limits.memory": container.limit_bytes if container else None,
        "requests.memory": container.request_bytes if container else None,
    }
    size = sizes.get(setting.value)
    if size is None:
        reason = f"{setting.name} is the {setting.value} of container {setting.of}, which sets none: the node's is used"
        return None, Gap(WITNESS, reason, "Set resources.limits.memory.")
    return str(-(-size // setting.divisor)), None
