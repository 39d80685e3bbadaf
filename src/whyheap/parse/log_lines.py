r"""Lines of a log without what collectors put before them: a time, a stream, a pod, a service.

| who | form | source |
|---|---|---|
| kubelet, containerd, CRI-O | `TIME stderr F text` | Kubernetes: pkg/kubelet/kuberuntime/logs, parseCRILog |
| Docker's json-file driver | `{"log":"text\n","stream":"stderr","time":"TIME"}` | daemon/logger/jsonfilelog/jsonlog |
| `kubectl logs --timestamps`, `docker logs -t` | `TIME text` | |
| `kubectl logs --prefix` | `[pod/NAME/CONTAINER] text` | |
| `docker compose logs` | `service-1  | text` | |
| journalctl, syslog | `May 01 03:12:00 host unit[123]: text` (no year: no moment) | |
| `journalctl -o short-iso` | `TIME host unit[123]: text` | |
"""

from __future__ import annotations

import json
import re

from whyheap.parse.rfc3339 import in_utc

_TIME = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d))"
_CRI = re.compile(_TIME + r" (?:stdout|stderr) [FP](?::\S{1,20})? ?(.*)", re.DOTALL)
_TIMED = re.compile(_TIME + r" (.*)", re.DOTALL)
_POD = re.compile(r"\[pod/[^\]\s]{1,400}\] (.*)", re.DOTALL)
_COMPOSE = re.compile(r"[A-Za-z0-9][\w.-]{0,80} {1,40}\| ?(.*)", re.DOTALL)
_UNIT = re.compile(r"[^\s:]{1,255} (?:kernel|[^\s:\[]{1,255}\[\d{1,10}\]): ?(.*)", re.DOTALL)
_SYSLOG = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,255} [^\s:]{1,255}: ?(.*)", re.DOTALL)
_DOCKER = '{"log":"'


def unwrap_line(line: str) -> tuple[str, str]:
    """Return when a line was written (RFC 3339 UTC, "" = it does not say) and what the program wrote.

    A line that nobody wrapped comes back as it is.
    """
    first = line[:1]
    if first in {"\t", ""}:
        return "", line
    if first == "{":
        return _docker(line) if line.startswith(_DOCKER) else ("", line)
    match = _POD.fullmatch(line) if first == "[" else _COMPOSE.fullmatch(line) if "| " in line else None
    if match is not None:
        line = match[1]
    if line[:1].isdigit():
        match = _CRI.fullmatch(line) or _TIMED.fullmatch(line)
        if match is None:
            return "", line
        unit = _UNIT.fullmatch(match[2])
        return in_utc(match[1]), unit[1] if unit is not None else match[2]
    match = _SYSLOG.fullmatch(line) if line[:1].isupper() else None
    return "", match[1] if match is not None else line


def _docker(line: str) -> tuple[str, str]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return "", line
    text = record.get("log") if isinstance(record, dict) else None
    if not isinstance(text, str):
        return "", line
    return in_utc(record.get("time")), text.removesuffix("\n").replace("\n", " ")
