"""The machine code of a linked program in place of the packages' own: what was really built and deployed.

A program was built elsewhere as a rule: its functions are found again by import path and file name, and it is said when
they stand on other lines than in the source at hand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from whyheap.join.frames import OwnCode, own_code
from whyheap.model.facts import AllocatorCall
from whyheap.model.gauge import Gap
from whyheap.model.machine_code import FunctionCode
from whyheap.model.scan import Scan
from whyheap.model.site import Site
from whyheap.parse.go_symbol import split_symbol

_SAME_SHARE = 0.98
_WITNESS = "machine code"


def wanted_packages(scan: Scan) -> frozenset[str]:
    """Return the packages of linker symbols that a scan can use; a program's own is called main."""
    return frozenset({package.package for package in scan.packages} | {"main"})


def is_wanted(symbol: str, packages: frozenset[str]) -> bool:
    """Whether a linker symbol is of one of these packages."""
    return split_symbol(symbol)[0] in packages


def with_linked_code(
    scan: Scan, binary: str, go: str, functions: Iterable[FunctionCode], base_address: int = 0
) -> Scan:
    """Return the scan with a program's machine code; `go` is the version that the program says it was built with.

    A function that the program lacks was not linked. What does not fit the source becomes a Gap.
    """
    names = _Names(own_code(scan))
    found: dict[str, list[FunctionCode]] = defaultdict(list)
    for function in functions:
        site = names.spelled(function.site)
        found[site.package].append(
            replace(
                function,
                site=site,
                calls=tuple(names.respelled(call) for call in function.calls),
            )
        )
    packages = tuple(replace(package, functions=tuple(found.get(package.package, ()))) for package in scan.packages)
    gaps = _gaps(scan, binary, go, {name: tuple(code) for name, code in found.items()})
    return replace(scan, packages=packages, binary=binary, base_address=base_address, gaps=(*scan.gaps, *gaps))


class _Names:
    """Spells the sites of a program as the scan does, each once."""

    def __init__(self, own: OwnCode) -> None:
        self._own = own
        self._known: dict[tuple[str, str, str], Site] = {}

    def spelled(self, site: Site) -> Site:
        key = (site.file, site.package, site.function)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._own.frame(site.symbol, site.file, 0).site
        return Site(known.file, site.line, site.column, known.function, known.package)

    def respelled(self, call: AllocatorCall) -> AllocatorCall:
        return replace(call, site=self.spelled(call.site), inlined_at=tuple(map(self.spelled, call.inlined_at)))


def _gaps(scan: Scan, binary: str, go: str, found: dict[str, tuple[FunctionCode, ...]]) -> Iterable[Gap]:
    if go and go != scan.go:
        yield Gap(
            _WITNESS,
            f"{binary} was built with {go}, the source was compiled with {scan.go}: they may allocate differently",
            f"Scan with the same Go:  --go {go.removeprefix('go')}",
        )
    packages = [package for package in scan.packages if package.functions]
    if not any(found.get(package.package) for package in packages):
        yield Gap(
            _WITNESS,
            f"{binary} has no function of the scanned packages: nothing is known of what was linked",
            "Name the packages that it was built from",
        )
        return
    moved, shared = 0, 0
    for package in packages:
        lines = {code.symbol: code.site.line for code in package.functions or ()}
        for code in found.get(package.package, ()):
            if code.symbol in lines:
                shared += 1
                moved += lines[code.symbol] != code.site.line
    if shared and 1 - moved / shared < _SAME_SHARE:
        yield Gap(
            _WITNESS,
            f"{binary} was not built from this source: {moved} of {shared} functions stand on other lines",
            "Check out the revision that it was built from (go version -m FILE tells it)",
        )
