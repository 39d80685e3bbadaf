"""Joins the compiler's two dialects, text and JSON, into the facts of one package."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable

from whyheap.model.facts import CompilerFact
from whyheap.model.site import Position
from whyheap.parse.compiler_json import CompilerLog
from whyheap.parse.compiler_text import Block, parse_block
from whyheap.parse.go_functions import FunctionMap

_VERSION = re.compile(r"@[^/]*|/v\d+$")


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
    folders: dict[str, str] = {}
    named = [_unqualified(fact, block.package, folders) for fact in _named(facts, maps)]
    named.sort(key=_order)
    return named, parsed.unknown


def _order(fact: CompilerFact) -> tuple[object, ...]:
    """Sort by place; plain values, because dataclasses compare ten times slower."""
    at, site = fact.printed_at, fact.site
    return at.file, at.line, at.column, fact.message, site.file, site.line, site.column, fact.function


def _with_function(fact: CompilerFact, function: str) -> CompilerFact:
    """Copy a fact; dataclasses.replace takes four times as long, and there are hundreds of thousands."""
    return CompilerFact(
        fact.kind,
        fact.printed_at,
        function,
        fact.package,
        fact.message,
        fact.subject,
        fact.site,
        fact.inlined_at,
        fact.flow,
    )


def _named(facts: Iterable[CompilerFact], maps: dict[str, FunctionMap]) -> list[CompilerFact]:
    named = []
    repeats: dict[tuple[Position, str, tuple[Position, ...]], int] = defaultdict(int)
    for fact in facts:
        there = None if fact.function else maps.get(fact.printed_at.file)
        if there is None:
            named.append(fact)
            continue
        seen = (fact.printed_at, fact.message, fact.inlined_at)
        function = there.function_at(fact.printed_at.line, fact.printed_at.column, repeats[seen])
        repeats[seen] += 1
        named.append(_with_function(fact, function) if function else fact)
    return named


def _unqualified(fact: CompilerFact, package: str, folders: dict[str, str]) -> CompilerFact:
    """Drop the package from functions of other packages, as in `slices.Backward[...]` where that is instantiated.

    `folders` keeps the last element of each file's folder.
    """
    if "." not in fact.function or fact.function.startswith("("):
        return fact
    file = fact.printed_at.file
    folder = folders.get(file)
    if folder is None:
        folder = folders[file] = _VERSION.sub("", posixpath.dirname(file)).rpartition("/")[2]
    if folder == package.rpartition("/")[2] or not fact.function.startswith(f"{folder}."):
        return fact  # `set.Len` is a method of this package's type `set`
    return _with_function(fact, fact.function[len(folder) + 1 :])
