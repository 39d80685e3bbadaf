"""Joins the compiler's two dialects, text and JSON, into the facts of one package."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

from whyheap.model.facts import CompilerFact
from whyheap.parse.compiler_json import CompilerLog
from whyheap.parse.compiler_text import Block, parse_block
from whyheap.parse.go_functions import FunctionMap


def package_facts(
    block: Block, log: CompilerLog, spell: Callable[[str], str], read_source: Callable[[str], bytes | None]
) -> tuple[list[CompilerFact], tuple[str, ...]]:
    """Return facts sorted by place, and the lines that were not understood."""
    parsed = parse_block(block, spell)
    facts = log.place(parsed.facts)
    facts.extend(log.facts)
    starts: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for file, line, column, function in parsed.starts:
        starts[file].append((line, column, function))
    maps = {file: FunctionMap(read_source(file), there) for file, there in starts.items()}
    named = _named(facts, maps)
    named.sort(key=lambda fact: (fact.printed_at, fact.message, fact.site, fact.function))
    return named, parsed.unknown


def _named(facts: Iterable[CompilerFact], maps: dict[str, FunctionMap]) -> list[CompilerFact]:
    named = []
    for fact in facts:
        there = None if fact.function else maps.get(fact.printed_at.file)
        function = there.function_at(fact.printed_at.line, fact.printed_at.column) if there is not None else ""
        named.append(replace(fact, function=function) if function else fact)
    return named
