"""Runs go vet over packages, as they are or with an overlay."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from whyheap.host.go import GoTool
from whyheap.host.program import run_program

_READS_OVERLAY = (1, 24)
_PLACE = re.compile(r"(?:vet: )?(?P<file>[^:]*\.go):\d+(?::\d+)?: (?P<words>.*)")
_TOOL = """\
#!/bin/sh
for last; do :; done
case "$last" in *.cfg) LC_ALL=C sed -f {rules} "$last" > "$last.new" && mv "$last.new" "$last";; esac
exec {vet} "$@"
"""


def vet(
    go: GoTool, folder: Path, packages: Mapping[str, Path], flags: Sequence[str], overlay: Path | None, work: Path
) -> dict[str, set[str]]:
    """Return what go vet says, without positions, by package, "" for what is of none.

    `packages` are folders by import path, `work` is a folder of ours, `overlay` the file that the go command was given,
    if any. Before Go 1.24 `go vet` finds packages by it and then reads the files that it replaces
    (cmd/go/internal/work/exec.go, buildVetConfig): its configuration is mended.
    """
    command = [go.command, "vet", *flags]
    replaced = json.loads(overlay.read_bytes())["Replace"] if overlay is not None else {}
    if replaced:
        environment = go.environment(folder)
        if environment.version < _READS_OVERLAY:
            command.append(f"-vettool={_tool(Path(environment.GOTOOLDIR, 'vet'), replaced, work)}")
    done = run_program([*command, *map(str, packages.values())], folder, env=go.env)
    if not done.returncode:
        return {}
    originals = {new: path for path, new in replaced.items()}
    return _said(done.stderr, folder, packages, originals) or {"": {f"exit status {done.returncode}"}}


def _tool(vet_command: Path, replaced: Mapping[str, str], work: Path) -> Path:
    """Write a vet that reads the replacing files."""
    rules = work / "vet.sed"
    lines = (f"s|{_pattern(_quoted(path))}|{_replacement(_quoted(new))}|" for path, new in replaced.items())
    rules.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogateescape")
    tool = work / "vet.sh"
    tool.write_text(_TOOL.format(rules=shlex.quote(str(rules)), vet=shlex.quote(str(vet_command))), encoding="utf-8")
    tool.chmod(0o700)
    return tool


def _quoted(path: str) -> str:
    """Return a path as Go's encoding/json writes it."""
    text = json.dumps(path, ensure_ascii=False)
    return "".join(f"\\u{ord(char):04x}" if char in "&<>\u2028\u2029" else char for char in text)


def _pattern(text: str) -> str:
    return re.sub(r"[\\.*\[\]^$|]", r"\\\g<0>", text)


def _replacement(text: str) -> str:
    return re.sub(r"[\\&|]", r"\\\g<0>", text)


def _said(text: str, folder: Path, packages: Mapping[str, Path], originals: Mapping[str, str]) -> dict[str, set[str]]:
    """Take each line for the package in whose folder it points, else for that of the heading: Go 1.26 has none."""
    names = {str(path): name for name, path in packages.items()}
    said: dict[str, set[str]] = {}
    package = ""
    for line in text.splitlines():
        if line.startswith("# "):
            package = line[2:].split()[0].strip("[]")
            continue
        place = _PLACE.match(line)
        if place is not None:
            file = os.path.normpath(folder / place["file"])
            package = names.get(os.path.dirname(originals.get(file, file)), package)  # noqa: PTH120 - a text
        words = (place["words"] if place is not None else line).strip()
        if words and not words.startswith("exit status"):
            said.setdefault(package, set()).add(words)
    return said
