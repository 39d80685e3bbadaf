"""What five compilers printed about tests/recorded/compiler/program; scripts/record_compiler.py writes it."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

from whyheap.model.facts import CompilerFact
from whyheap.parse.compiler_json import CompilerLog
from whyheap.parse.compiler_text import split_blocks
from whyheap.parse.package_facts import package_facts
from whyheap.parse.percent import percent_decoded
from whyheap.parse.source_path import SourceNames

RECORDED = Path(__file__).resolve().parent / "recorded"
PROGRAM = RECORDED / "compiler" / "program"
MODULE = "example.com/my-prog"
SHAPES = f"{MODULE}/shapes"
VERSIONS = tuple(
    sorted(
        (path.parents[1].name for path in RECORDED.glob("*/compiler/m2.txt")),
        key=lambda one: [int(part) for part in one.split(".")],
    )
)
_POSITION = re.compile(r"^([^:]+):(\d+)(?::(\d+))?: (.*)$")

Printed = tuple[str, str, int, int, str]
"""Package, file, line, column and message."""


def names() -> SourceNames:
    return SourceNames("/module", (), "/goroot", "/modcache")


def text(version: str, level: str = "m2") -> list[str]:
    return (RECORDED / version / "compiler" / f"{level}.txt").read_text(encoding="utf-8").split("\n")


def json_files(version: str, package: str) -> list[Path]:
    folders = (RECORDED / version / "compiler" / "json").iterdir()
    return [file for folder in folders if percent_decoded(folder.name) == package for file in sorted(folder.iterdir())]


def source(name: str) -> bytes | None:
    path = PROGRAM / name
    return path.read_bytes() if path.is_file() else None


@cache
def facts(version: str) -> tuple[CompilerFact, ...]:
    """All facts of the program; every line must have been understood."""
    spell = names().spell
    found: list[CompilerFact] = []
    for block in split_blocks(text(version)):
        log = CompilerLog(block.package)
        for file in json_files(version, block.package):
            log.read(file.read_bytes(), spell)
        there, unknown = package_facts(block, log, spell, source)
        assert unknown == ()
        found += there
    return tuple(found)


def printed(version: str) -> Counter[Printed]:
    """What -m=1 prints."""
    spell = names().spell
    lines: Counter[Printed] = Counter()
    for block in split_blocks(text(version, "m1")):
        for line in filter(None, block.lines):
            place = _POSITION.match(line)
            if place is None:
                lines[block.package, "", 0, 0, line.removeprefix("<unknown line number>: ")] += 1
            else:
                lines[block.package, spell(place[1]), int(place[2]), int(place[3] or 0), place[4]] += 1
    return lines


def key(fact: CompilerFact) -> Printed:
    at = fact.printed_at
    return fact.package, at.file, at.line, at.column, fact.message


def line_of(file: str, text: str, occurrence: int = 0) -> int:
    """Return the line of the program that holds a text."""
    lines = (PROGRAM / file).read_text(encoding="utf-8").splitlines()
    return [number for number, line in enumerate(lines, 1) if text in line][occurrence]


def at(version: str, file: str, text: str, start: str = "") -> list[CompilerFact]:
    """Return the facts printed on the line of the program that holds a text, whose messages begin with `start`."""
    line = line_of(file, text)
    return [
        fact
        for fact in facts(version)
        if (fact.printed_at.file, fact.printed_at.line) == (file, line) and fact.message.startswith(start)
    ]
