"""What the compiler said of a package that it compiled just now: its text and its JSON, read as facts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from whyheap.model.facts import CompilerFact
from whyheap.parse.compiler_json import CompilerLog
from whyheap.parse.compiler_text import Block
from whyheap.parse.package_facts import package_facts
from whyheap.parse.source_path import SourceNames


@dataclass(frozen=True, slots=True)
class FreshFacts:
    """What was read of one package: facts, lines that were not understood, and the sources that named functions."""

    facts: list[CompilerFact]
    unknown: tuple[str, ...]
    sources: list[str]


def fresh_facts(block: Block, log_folder: Path, names: SourceNames, goroot: str) -> FreshFacts:
    """Read a package's block of text with the JSON of its folder. Raises FormatError where that is damaged."""
    log = CompilerLog(block.package)
    for file in sorted(log_folder.glob("*.json")):
        log.read(file.read_bytes(), names.spell)
    sources: list[str] = []

    def source(name: str) -> bytes | None:
        """Read a source file by its spelled name; std's stand in GOROOT."""
        for path in (names.to_path(name), f"{goroot}/src/{name}"):
            with suppress(OSError):
                data = Path(path).read_bytes()
                sources.append(str(path))
                return data
        return None

    return FreshFacts(*package_facts(block, log, names.spell, source), sources)
