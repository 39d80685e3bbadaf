"""The programs that the escape graph is proven on: what each declares, and a module to compile them in.

The first line of a program names one root, `// root: KIND TITLE`; a line with `// held` has one heap value under it,
with `// held N` several. No other value may leave the heap when the root is cut.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).with_name("programs")
MODULE = "example.test/cut"
_ROOT = re.compile(r"^// root: (\S+) (.+)$", re.MULTILINE)
_HELD = re.compile(r"// held(?: (\d+))?$")


@dataclass(frozen=True, slots=True)
class Program:
    """One program: the root that it declares by kind and title, and how many values each line holds under it."""

    name: str
    kind: str
    title: str
    held: Counter[tuple[str, int]]


def programs() -> list[Program]:
    """Read all programs."""
    return [_program(folder) for folder in sorted(PROGRAMS.iterdir()) if folder.is_dir()]


def write_module(folder: Path) -> None:
    """Write the module of all programs into an empty folder."""
    shutil.copytree(PROGRAMS, folder, dirs_exist_ok=True)
    (folder / "go.mod").write_text(f"module {MODULE}\n\ngo 1.22\n", encoding="utf-8")


def _program(folder: Path) -> Program:
    declared: tuple[str, str] | None = None
    held: Counter[tuple[str, int]] = Counter()
    for file in sorted(folder.rglob("*.go")):
        text = file.read_text(encoding="utf-8")
        root = _ROOT.search(text)
        declared = (root[1], root[2]) if root else declared
        for number, line in enumerate(text.splitlines(), 1):
            found = _HELD.search(line)
            if found:
                held[file.relative_to(PROGRAMS).as_posix(), number] += int(found[1] or 1)
    if declared is None:
        raise ValueError(f"{folder.name} declares no root")
    return Program(folder.name, *declared, held)
