"""Functions of tests/recorded/flow, as the tests read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from whyheap.goruntime.quiet_calls import GO_RUNTIME
from whyheap.model.machine_code import FunctionCode
from whyheap.model.site import Site, Stack
from whyheap.parse.go_symbol import split_symbol
from whyheap.parse.machine_code.function_code import function_codes
from whyheap.parse.machine_code.operands import Read
from whyheap.parse.machine_code.raw import RawCall

FOLDER = Path(__file__).parent / "recorded" / "flow"
BUILDS = tuple(sorted(file.stem for file in FOLDER.glob("*.json")))


@dataclass(frozen=True)
class Function:
    """A RawFunction."""

    symbol: str
    code: bytes
    calls: tuple[RawCall, ...] = ()
    address: int = 0

    @property
    def site(self) -> Site:
        package, function = split_symbol(self.symbol)
        return Site("main.go", 1, 0, function, package)

    def frames(self, offset: int) -> Stack:
        return (Site("main.go", offset, 0, self.site.function, self.site.package),)


class _Recorded(msgspec.Struct):
    symbol: str
    address: int
    code: str
    calls: list[tuple[int, str, str]]


class _Recording(msgspec.Struct):
    arch: str
    functions: list[_Recorded]
    memory: dict[str, str]


def functions(build: str) -> tuple[list[Function], str, Read]:
    """Return the functions of a recording, their architecture, and what reads the program's memory."""
    recording = msgspec.json.decode((FOLDER / f"{build}.json").read_bytes(), type=_Recording)
    found = [
        Function(one.symbol, bytes.fromhex(one.code), tuple(RawCall(*call) for call in one.calls), one.address)
        for one in recording.functions
    ]
    memory = {int(address): bytes.fromhex(data) for address, data in recording.memory.items()}
    return found, recording.arch, lambda address, _size: memory.get(address)


def read(functions: Iterable[Function], arch: str, memory: Read | None = None) -> dict[str, FunctionCode]:
    """Return what the functions' code says, by name without the package."""
    return {one.symbol.removeprefix("main."): one for one in function_codes(functions, arch, GO_RUNTIME, memory)}
