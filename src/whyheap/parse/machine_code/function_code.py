"""What the machine code of functions says about allocation: their calls, on which paths, and what that adds up to."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Final

from whyheap.errors import FormatError
from whyheap.model.facts import AllocatorCall, CallPath
from whyheap.model.machine_code import Allocates, CodeCall, FunctionCode
from whyheap.parse.machine_code import flow, instructions_amd64, instructions_arm64
from whyheap.parse.machine_code.first_tests import skip_known
from whyheap.parse.machine_code.operands import Read, defer_bits, is_deferred_call, is_zero_argument, table_targets
from whyheap.parse.machine_code.raw import RawCall, RawFunction
from whyheap.parse.machine_code.runtime_names import RuntimeNames
from whyheap.parse.machine_code.transfer import Kind, Transfer

_BATCH: Final = 4096
_DECODERS: Final = {"amd64": instructions_amd64.transfers, "arm64": instructions_arm64.transfers}
_STRENGTH: Final = {
    CallPath.ALWAYS: 4,
    CallPath.LOOP: 3,
    CallPath.BRANCH: 2,
    CallPath.UNKNOWN: 1,
    CallPath.COLD: 0,
}
_CLOSURE: Final = re.compile(r"(?:func|deferwrap)\d+")
_DEFER_RETURN: Final = "runtime.deferreturn"
_UNKNOWN_CALLEE: Final = ""


def function_codes(
    functions: Iterable[RawFunction], arch: str, runtime: RuntimeNames, read: Read | None = None
) -> Iterator[FunctionCode]:
    """Yield what each function's code says, in the order of the functions; `arch` as GOARCH spells it.

    `functions` should hold whole packages: deferred closures are found among them. `read` reads a linked program's
    memory, for jump tables. Raises FormatError for an architecture that is not amd64 or arm64.
    """
    if arch not in _DECODERS:
        raise FormatError(f"machine code of {arch} is not read", "amd64 and arm64 are")
    every = list(functions)
    closures = _closures(every)
    rest = iter(every)
    while batch := list(islice(rest, _BATCH)):
        for function, transfers in zip(batch, _DECODERS[arch]([one.code for one in batch]), strict=True):
            yield _Reader(function, transfers, arch, runtime, read, closures).result()


def _closures(functions: Sequence[RawFunction]) -> dict[str, list[str]]:
    """Return the closures of each function that a defer statement may run: F.func1, F.deferwrap1."""
    found: dict[str, list[str]] = {}
    for function in functions:
        outer, dot, last = function.symbol.rpartition(".")
        if dot and _CLOSURE.fullmatch(last):
            found.setdefault(outer, []).append(function.symbol)
    return found


class _Reader:
    """Reads one function."""

    def __init__(
        self,
        function: RawFunction,
        transfers: Sequence[Transfer],
        arch: str,
        runtime: RuntimeNames,
        read: Read | None,
        closures: Mapping[str, Sequence[str]],
    ) -> None:
        self.function = function
        self.transfers = transfers
        self.arch = arch
        self.runtime = runtime
        self.read = read
        self.closures = closures
        self.code = function.code
        self.calls: dict[int, RawCall] = {
            call.offset: call for call in function.calls if 0 <= call.offset < len(self.code)
        }
        self.names = {offset: call.callee for offset, call in self.calls.items()}
        self.defers_path = CallPath.COLD  # on which a closure is put on the list that runtime.deferreturn works off
        self.defer_bits = defer_bits(arch, self.code) if _DEFER_RETURN in self.names.values() else None

    def result(self) -> FunctionCode:
        """Return what the code says; without a call of interest its paths do not matter."""
        function = self.function
        if not self._calls_out():
            return FunctionCode(
                site=function.site,
                symbol=function.symbol,
                address=function.address,
                size_bytes=len(self.code),
                inlined=self._inlined(()),
                alone=Allocates.NEVER,
            )
        graph = flow.build(len(self.code), self.transfers, self.names, self.runtime.never_returns, self._jump_targets)
        skip_known(graph, self.transfers, self.code, self.arch)
        paths = flow.paths(graph)
        allocator_calls: list[AllocatorCall] = []
        sure: set[int] = set()
        callees: dict[str, CallPath] = {}
        defers = (paths.of_block[graph.block_at(at)] for at, callee in self.names.items() if callee in flow.DEFER_CALLS)
        self.defers_path = max(defers, key=_STRENGTH.__getitem__, default=CallPath.COLD)
        for one in self._outward(graph):
            block = graph.block_at(one.at)
            path = paths.of_block[block]
            call = self.calls.get(one.at)
            if call is not None and self.runtime.is_allocator(call.callee):
                allocator_calls.append(self._allocator_call(call, path))
                if self._surely_allocates(call, graph.starts[block]):
                    sure.add(block)
                continue
            for callee, reached in self._callees(one, call, path):
                if callee not in callees or _STRENGTH[callees[callee]] < _STRENGTH[reached]:
                    callees[callee] = reached
        return FunctionCode(
            site=function.site,
            symbol=function.symbol,
            address=function.address,
            size_bytes=len(self.code),
            calls=tuple(allocator_calls),
            callees=tuple(CodeCall(callee, path) for callee, path in callees.items()),
            inlined=self._inlined(allocator_calls),
            alone=_alone(graph, paths, allocator_calls, sure),
        )

    def _calls_out(self) -> bool:
        """Whether any call may make an object."""
        if not self.transfers:
            return False
        quiet = self.runtime.makes_no_object
        return any(one.kind in {Kind.CALL_INDIRECT, Kind.JUMP_INDIRECT} for one in self.transfers) or not all(
            quiet(name) or self.runtime.never_returns(name) for name in self.names.values()
        )

    def _outward(self, graph: flow.Graph) -> Iterator[Transfer]:
        """Yield calls and jumps to other functions."""
        tails = {one.at for one in graph.tail_calls}
        for one in self.transfers:
            if one.kind in {Kind.CALL, Kind.CALL_INDIRECT} or one.at in tails:
                yield one

    def _jump_targets(self, jump: Transfer) -> Sequence[int]:
        if self.read is None:
            return ()
        return table_targets(self.arch, self.code, jump.at, self.function.address, self.read)

    def _surely_allocates(self, call: RawCall, begin: int) -> bool:
        buffer = self.runtime.buffer_argument(call.callee)
        if buffer is not None:
            before = bisect_left(self.transfers, call.offset, key=itemgetter(0))
            begin = max(begin, self.transfers[before - 1].end) if before else begin
        has_none = buffer is not None and is_zero_argument(self.arch, self.code, begin, call.offset, buffer)
        return self.runtime.always_allocates(call.callee, without_buffer=has_none)

    def _allocator_call(self, call: RawCall, path: CallPath) -> AllocatorCall:
        frames = self.function.frames(call.offset)
        return AllocatorCall(
            site=frames[0],
            callee=call.callee,
            type=call.type,
            address=self.function.address + call.offset,
            path=path,
            inlined_at=tuple(frames[1:]),
            symbol=self.function.symbol,
        )

    def _callees(self, one: Transfer, call: RawCall | None, path: CallPath) -> Iterator[tuple[str, CallPath]]:
        """Yield whom a call reaches; nobody for those that make no objects."""
        callee = call.callee if call else _UNKNOWN_CALLEE
        if callee == _DEFER_RETURN:
            yield from self._deferred(min(path, self.defers_path, key=_STRENGTH.__getitem__))
        elif one.kind == Kind.CALL_INDIRECT and is_deferred_call(self.arch, self.code, one.at, self.defer_bits):
            yield from self._deferred(path)
        elif not callee:
            if (
                one.kind != Kind.CALL
            ):  # a direct call without a name leads into the middle of runtime.duffzero or duffcopy
                yield _UNKNOWN_CALLEE, path
        elif not (
            self.runtime.makes_no_object(callee)
            or self.runtime.never_returns(callee)
            or callee.startswith("runtime.morestack")
        ):
            yield callee, path

    def _deferred(self, path: CallPath) -> Iterator[tuple[str, CallPath]]:
        """Yield the closures that may be deferred; which of several it is, is not known."""
        if path is CallPath.COLD:
            return
        found = self.closures.get(self.function.symbol, ())
        if not found:
            yield _UNKNOWN_CALLEE, path
        for symbol in found:
            yield symbol, path if len(found) == 1 else CallPath.BRANCH

    def _inlined(self, calls: Sequence[AllocatorCall]) -> tuple[str, ...]:
        """Return what is inlined, as far as its source tells: an executable's functions name it only at calls."""
        known = getattr(self.function, "inlined", None)
        if known is not None:
            return tuple(known)
        return tuple(sorted({call.site.symbol for call in calls if call.inlined_at}))


def _alone(graph: flow.Graph, paths: flow.Paths, calls: Sequence[AllocatorCall], sure: set[int]) -> Allocates:
    """Tell whether the function allocates by its own calls."""
    if all(call.path is CallPath.COLD for call in calls):
        return Allocates.NEVER
    if not graph.is_understood:
        return Allocates.UNKNOWN
    return Allocates.ALWAYS if flow.all_pass(graph, paths, sure) else Allocates.MAY
