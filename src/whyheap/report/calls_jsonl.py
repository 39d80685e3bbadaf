"""Calls of the allocator as JSON lines: what `scan --calls` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from whyheap.model.facts import AllocatorCall
from whyheap.model.site import Site

_ENCODER = msgspec.json.Encoder()
_BATCH = 2048


def write_calls(calls: Iterable[AllocatorCall]) -> Iterator[bytes]:
    """Yield pieces of the output, whole lines each, one JSON object a call, in the order given.

    `file`, `line`, `function` and `package` are innermost; `inlined_at` lists the calls that it is inlined through,
    from there outward. `address` is that of the call instruction; in a package's archive, where nothing has an address
    yet, its offset in the function `symbol`.
    """
    rest = iter(calls)
    while batch := list(islice(rest, _BATCH)):
        yield _ENCODER.encode_lines([_row(call) for call in batch])


def _row(call: AllocatorCall) -> dict[str, object]:
    return {
        **_place(call.site),
        "callee": call.callee,
        "type": call.type,
        "address": call.address,
        "path": call.path.value,
        "symbol": call.symbol,
        "inlined_at": [_place(site) for site in call.inlined_at],
    }


def _place(site: Site) -> dict[str, object]:
    return {"file": site.file, "line": site.line, "function": site.function, "package": site.package}
