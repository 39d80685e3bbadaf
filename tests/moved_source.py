"""Changes Go source in ways that change no program: comments, blank lines, blanks, file names, gofmt -s."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

_QUOTES = re.compile(r"[\"'`]|/[/*]")
_SUFFIX = re.compile(r"(_test|_unix|_linux|_windows|_darwin|_amd64|_arm64|_generic)+\.go$")


def copy_package(source: Path, target: Path, go: str = "1.22") -> None:
    """Copy a package of std, without its tests, as a module of its own."""
    target.mkdir(parents=True)
    for file in sorted(source.glob("*.go")):
        if not file.name.endswith("_test.go"):
            (target / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (target / "go.mod").write_text(f"module example.com/{source.name}\n\ngo {go}\n")


def move(folder: Path, gofmt: Path, seed: int) -> None:
    """Insert comments and lines, spoil the layout, rename each file, and format all of it with gofmt -s."""
    chance = random.Random(seed)  # noqa: S311 - a fixed series
    for file in sorted(folder.glob("*.go")):
        text = _moved(file.read_text(encoding="utf-8"), chance)
        file.unlink()
        suffix = _SUFFIX.search(file.name)
        name = f"{chance.choice('abyz')}{chance.randrange(10_000)}_moved"
        (folder / f"{name}{suffix[0] if suffix else '.go'}").write_text(text, encoding="utf-8")
    files = sorted(str(file) for file in folder.glob("*.go"))
    subprocess.run([str(gofmt), "-s", "-w", *files], check=True, capture_output=True)


def _moved(text: str, chance: random.Random) -> str:
    lines: list[str] = []
    is_raw = False
    for line in text.split("\n"):
        was_raw = is_raw
        is_raw ^= line.count("`") % 2 == 1 and not line.lstrip().startswith("//")
        if was_raw or is_raw:
            lines.append(line)
            continue
        is_plain = _QUOTES.search(line) is None
        if line.startswith(("func ", "type ", "var ", "const ")) and chance.random() < 0.5 and not _is_told(lines):
            lines += ["", "// Moved by some lines.", ""]
        lines.append(_spoilt(line, chance) if is_plain and line.strip() else line)
        if is_plain and line.rstrip().endswith("{") and chance.random() < 0.3:
            lines += ["// A comment of", "// two lines.", ""]
    return "\n".join(lines)


def _spoilt(line: str, chance: random.Random) -> str:
    spoilt = line.replace(" := ", ":=").replace(", ", " ,  ").replace("\t", " ")
    return f"{spoilt} // a note" if chance.random() < 0.1 else spoilt


def _is_told(lines: list[str]) -> bool:
    """Whether the line before is a comment that must stay where it is: a //go: directive, a cgo preamble."""
    return bool(lines) and lines[-1].startswith(("//", "*/"))
