"""Whether functions allocate: what machine code tells, callees included, against what testing.AllocsPerRun measures.

The corpus (lab/corpus) is built with a given Go; the program that measures itself is the one that is read.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from whyheap.errors import ToolError
from whyheap.goruntime import allocators
from whyheap.goruntime.quiet_calls import GO_RUNTIME
from whyheap.host.go import GoTool, first_line
from whyheap.host.program import run_program
from whyheap.join.callees import Callees, by_symbol
from whyheap.model.machine_code import Allocates
from whyheap.parse.machine_code.binary import Binary
from whyheap.parse.machine_code.function_code import function_codes

RECORDING: Final = "allocation_counts.json"
CORPUS: Final = Path(__file__).with_name("corpus")
_PACKAGE: Final = "whyheap.lab/corpus"
_ENV: Final = MappingProxyType({"GOFLAGS": "", "GOWORK": "off", "GOOS": "", "GOARCH": ""})
_SURE: Final = frozenset({Allocates.ALWAYS, Allocates.NEVER})

REASONS: Final = MappingProxyType(
    {
        "BoxesEmptyString": "the value is the empty string, which needs no object: runtime.convTstring returns zeroVal",
        "ConcatenatesWithEmpty": "one operand is empty: runtime.concatstrings returns the other one as it is",
        "MakesEmptySlice": "the length is 0: runtime.makeslice returns the address of zerobase",
        "MakesSliceOfEmpty": "the elements are of size 0: runtime.makeslice returns the address of zerobase",
        "StringOfNoBytes": "the length is 0: runtime.slicebytetostring returns the empty string",
    }
)
"""Why functions of the corpus are told otherwise than measured. Told are calls with ordinary arguments."""


class Count(msgspec.Struct, frozen=True):
    """One function: what is told of it, by which callees, and how many objects a run makes (rounded down)."""

    name: str
    told: Allocates
    allocs: float
    via: tuple[str, ...] = ()

    @property
    def is_sure(self) -> bool:
        """Whether always or never is told; the others are classes of their own."""
        return self.told in _SURE

    @property
    def is_right(self) -> bool:
        """Whether what is told for sure is what was measured."""
        return self.is_sure and (self.told is Allocates.ALWAYS) == (self.allocs >= 1)


class Comparison(msgspec.Struct, frozen=True):
    """All functions of the corpus on one Go version."""

    go: str
    functions: tuple[Count, ...]

    @property
    def sure(self) -> int:
        """How many functions are told to allocate always or never."""
        return sum(one.is_sure for one in self.functions)

    @property
    def right(self) -> int:
        """How many of those are measured so."""
        return sum(one.is_right for one in self.functions)

    @property
    def agreement(self) -> float:
        """Share of the sure ones that are right, 0..1."""
        return self.right / self.sure if self.sure else 0.0

    @property
    def unsure_share(self) -> float:
        """Share of functions that are told to allocate on some paths, or not told, 0..1."""
        return 1 - self.sure / len(self.functions) if self.functions else 0.0

    @property
    def misses(self) -> tuple[Count, ...]:
        """The sure ones that are wrong."""
        return tuple(one for one in self.functions if one.is_sure and not one.is_right)


class _Measured(msgspec.Struct):
    name: str
    allocs: float


class _Printed(msgspec.Struct):
    go: str
    functions: list[_Measured]


def compare(go: GoTool) -> Comparison:
    """Build the corpus for this host, measure it and read it.

    Raises ToolError when it cannot be built or run, FormatError when the program cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="whyheap-corpus-") as name:
        program = _build(go, Path(name))
        done = run_program([str(program)], program.parent)
        if done.returncode:
            raise ToolError(f"the corpus could not be measured: {first_line(done.stderr)}")
        printed = msgspec.json.decode(done.stdout, type=_Printed)
        told = told_by_binary(program.read_bytes())
    counts = (_count(one, told) for one in printed.functions)
    return Comparison(printed.go.removeprefix("go"), tuple(counts))


def told_by_binary(data: bytes) -> Callees:
    """Return the verdicts over all functions of an executable."""
    binary = Binary(data, allocators.is_allocator, allocators.type_argument)
    codes = by_symbol(function_codes(binary.functions(), binary.arch, GO_RUNTIME, binary.read))
    return Callees(lambda symbol, _near: codes.get(symbol))


def _build(go: GoTool, folder: Path) -> Path:
    source, program = folder / "corpus", folder / "measure"
    shutil.copytree(CORPUS, source)
    command = [go.command, "build", "-o", str(program), "./cmd/measure"]
    done = run_program(command, source, env={**go.env, **_ENV})
    if done.returncode:
        raise ToolError(f"the corpus could not be built: {first_line(done.stderr)}")
    return program


def _count(one: _Measured, told: Callees) -> Count:
    verdict = told.allocates(f"{_PACKAGE}.{one.name}")
    return Count(one.name, verdict.allocates, one.allocs, verdict.via)


def load(file: Path) -> Comparison:
    """Read a recording."""
    return msgspec.json.decode(file.read_bytes(), type=Comparison)


def dump(comparison: Comparison) -> bytes:
    """Write a recording: one line for each function."""
    lines = ",\n".join(msgspec.json.encode(one).decode() for one in comparison.functions)
    return f'{{"go":"{comparison.go}","functions":[\n{lines}\n]}}\n'.encode()


def to_markdown(comparisons: Iterable[Comparison]) -> str:
    """Write agreement per version, the misses with their reasons, and a table of all functions."""
    versions = tuple(comparisons)
    return "\n".join((*_agreement(versions), *_misses(versions), *_table(versions), ""))


def _agreement(versions: Sequence[Comparison]) -> Iterable[str]:
    yield "| Go | functions | told always or never | right | agreement | may | unknown | may and unknown |"
    yield "|---|---|---|---|---|---|---|---|"
    for one in versions:
        told = [count.told for count in one.functions]
        unsure = f"{told.count(Allocates.MAY)} | {told.count(Allocates.UNKNOWN)} | {one.unsure_share:.1%}"
        yield f"| {one.go} | {len(told)} | {one.sure} | {one.right} | {one.agreement:.1%} | {unsure} |"


def _misses(versions: Sequence[Comparison]) -> Iterable[str]:
    yield from (
        "",
        "## Told otherwise than measured",
        "",
        "| function | told | measured | Go | why |",
        "|---|---|---|---|---|",
    )
    missed: dict[str, list[tuple[str, Count]]] = {}
    for one in versions:
        for count in one.misses:
            missed.setdefault(count.name, []).append((one.go, count))
    for name, found in missed.items():
        where = "all" if len(found) == len(versions) else ", ".join(go for go, _ in found)
        told = ", ".join(dict.fromkeys(count.told.value for _, count in found))
        measured = ", ".join(dict.fromkeys(f"{count.allocs:g}" for _, count in found))
        yield f"| `{name}` | {told} | {measured} | {where} | {REASONS.get(name, 'not explained')} |"


def _table(versions: Sequence[Comparison]) -> Iterable[str]:
    yield from ("", "## All functions", "")
    yield "Each cell: what is told, and how many objects a run makes."
    yield ""
    yield f"| function | {' | '.join(one.go for one in versions)} |"
    yield f"|---|{'---|' * len(versions)}"
    by_name = [{count.name: count for count in one.functions} for one in versions]
    for name in by_name[-1] if by_name else ():
        cells = (_cell(counts.get(name)) for counts in by_name)
        yield f"| `{name}` | {' | '.join(cells)} |"


def _cell(count: Count | None) -> str:
    return f"{count.told.value} {count.allocs:g}" if count else ""
