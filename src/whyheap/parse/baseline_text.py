"""The text of a baseline file.

    whyheap baseline 1
    go: go1.27.3
    platform: linux/amd64
    tags:
    gcflags:
    tests: no
    ID<TAB>PATTERN<TAB>PACKAGE<TAB>FUNCTION<TAB>SUBJECT
    ...
    end of baseline

Entries are sorted by package and function, one a line, and nothing counts them, so that two branches merge line by
line. The last line tells a whole file from a part. Only id and package are read for judging: the rest is for people.
"""

from __future__ import annotations

import re

from whyheap.errors import UsageError
from whyheap.model.baseline import SCHEMA, Baseline, BaselineEntry

_FIRST = re.compile(r"whyheap baseline (\d+)")
_END = "end of baseline"
_MARKERS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
_KEYS = ("go", "platform", "tags", "gcflags", "tests")
_ENTRY = re.compile(r"([0-9a-f]{12})\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)")
_BLANKS = re.compile(r"\s+")
_LONGEST_SUBJECT = 80
_ANEW = "Restore it from version control, or delete it and write it anew:  whyheap gate --update"


def parse_baseline(data: bytes, shown: str) -> Baseline:
    """Read a baseline; `shown` is what errors call the file. Raises UsageError for anything but a whole one."""
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UsageError(f"{shown} is no baseline: it is not UTF-8 text", _ANEW) from None
    for number, line in enumerate(lines, 1):
        if line.startswith(_MARKERS):
            raise UsageError(
                f"{shown}:{number}: a merge conflict is not resolved",
                "Keep the entries of both sides: their order does not matter. Or delete the file, then --update",
            )
    first = _FIRST.fullmatch(lines[0].strip()) if lines else None
    if first is None:
        raise UsageError(f"{shown} is no baseline: its first line is not 'whyheap baseline {SCHEMA}'", _ANEW)
    if int(first[1]) != SCHEMA:
        raise UsageError(
            f"{shown} is a baseline of schema {first[1]}, this whyheap reads schema {SCHEMA}",
            "Use the whyheap that wrote it, or delete it and write it anew:  whyheap gate --update",
        )
    while lines and not lines[-1].strip():
        lines.pop()
    if lines[-1].strip() != _END:
        raise UsageError(f"{shown} is cut off: its last line is not '{_END}'", _ANEW)
    return _read(lines, shown)


def _read(lines: list[str], shown: str) -> Baseline:
    header: dict[str, str] = {}
    entries: dict[str, BaselineEntry] = {}
    for number, line in enumerate(lines[1:-1], 2):
        entry = _ENTRY.fullmatch(line.rstrip("\r"))
        key, colon, value = line.partition(":")
        if entry is not None:
            entries[entry[1]] = BaselineEntry(*entry.groups())
        elif colon and key in _KEYS and header.get(key, value.strip()) == value.strip():
            header[key] = value.strip()
        elif colon and key in _KEYS:
            raise UsageError(f"{shown}:{number}: {key} is told twice, and differently", _ANEW)
        elif line.strip() and line.strip() != _END:  # a merge of both sides may leave two ends
            raise UsageError(f"{shown}:{number}: this is no entry of a baseline", _ANEW)
    missing = [key for key in _KEYS if key not in header]
    if missing or not header["go"] or header["tests"] not in {"yes", "no"}:
        raise UsageError(f"{shown} does not say its {(missing or ['go or tests'])[0]}", _ANEW)
    return Baseline(
        header["go"], header["platform"], header["tags"], header["gcflags"], header["tests"] == "yes", entries
    )


def baseline_text(baseline: Baseline) -> str:
    """Write a baseline; equal ones give equal texts."""
    header = {
        "go": baseline.go,
        "platform": baseline.platform,
        "tags": baseline.tags,
        "gcflags": baseline.gcflags,
        "tests": "yes" if baseline.tests else "no",
    }
    rows = [
        (_plain(one.package), _plain(one.function), _plain(one.pattern), _plain(one.subject), one.id)
        for one in baseline.entries.values()
    ]
    lines = [f"whyheap baseline {SCHEMA}", *(f"{key}: {value}".rstrip() for key, value in header.items())]
    for package, function, pattern, subject, id_ in sorted(rows):
        lines.append(f"{id_}\t{pattern}\t{package}\t{function}\t{subject}")
    return "\n".join((*lines, _END, ""))


def _plain(text: str) -> str:
    """Return a text on one line, without tabs, and no longer than people read."""
    plain = _BLANKS.sub(" ", text).encode("utf-8", "replace").decode()
    plain = "".join(char if char.isprintable() else "?" for char in plain)
    return plain if len(plain) <= _LONGEST_SUBJECT else f"{plain[: _LONGEST_SUBJECT - 3]}..."
