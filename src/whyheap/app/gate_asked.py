"""What a gate was asked about when it looks at a part of the code alone, and what of it belongs to the rest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from whyheap.app.gate_scan import GateScan
from whyheap.collect.unchanged import is_path
from whyheap.model.baseline import Baseline
from whyheap.model.finding import Finding
from whyheap.model.violation import Violation

_EVERYTHING = ("./...",)
Function = tuple[str, str]
"""A package and a function in it."""


class Asked:
    """The packages that a scan was asked about, those included that are no longer there."""

    def __init__(self, scanned: GateScan) -> None:
        """Compare the patterns with where we stand: ./... of a folder inside a module is a part of it."""
        self._packages = {package.package: package.folder for package in scanned.scan.packages}
        self._root = scanned.scan.root
        self._folder = scanned.options.folder.resolve()
        self._is_whole = scanned.options.patterns == _EVERYTHING
        self.is_all = self._is_whole and (not self._root or self._folder == Path(self._root).resolve())

    def __contains__(self, package: str) -> bool:
        """Whether a package, by its import path, is among them."""
        if self.is_all or package in self._packages:
            return True
        above = self._import_path if self._is_whole else ""
        return bool(above) and (package == above or package.startswith(f"{above}/"))

    @property
    def _import_path(self) -> str:
        """The import path of the folder that we stand in, as those of the packages below tell; "" when unknown."""
        for package, folder in self._packages.items():
            below = os.path.relpath(Path(folder).resolve(), self._folder).replace(os.sep, "/")
            if below == ".":
                return package
            if package.endswith(f"/{below}"):
                return package.removesuffix(f"/{below}")
        return ""

    def has_target(self, budget: Violation) -> bool:
        """Whether a budget that found no package speaks of what was asked about."""
        if self.is_all or (self._is_whole and (self._folder / "go.mod").is_file()):
            return True
        target = budget.labels["target"].removesuffix("/...")
        if not is_path(target):
            return any(target == one or target.startswith((f"{one}/", f"{one}.")) for one in self._above())
        place = PurePosixPath(os.path.normpath(Path(self._root).resolve() / target))
        return self._is_whole and place.is_relative_to(PurePosixPath(self._folder))

    def _above(self) -> list[str]:
        return [self._import_path] if self._is_whole and self._import_path else []


def functions_of(baseline: Baseline) -> frozenset[Function]:
    """Return the functions that a baseline has entries of."""
    return frozenset((one.package, one.function) for one in baseline.entries.values())


def is_of_others(finding: Finding, scanned: GateScan, known: frozenset[Function]) -> bool:
    """Whether a site is a copy of code of a package that was not scanned, inlined here, whose function is `known`.

    With that package scanned as well, the site is that package's alone.
    """
    at = {(call.site.file, call.site.line): call.site for call in finding.calls or ()}
    places = {(fact.site.file, fact.site.line) for fact in finding.facts} or set(at)
    return bool(places) and all(
        place[0] not in scanned.owners and place in at and (at[place].package, at[place].function) in known
        for place in places
    )


def unknown_sites(scanned: GateScan, baseline: Baseline) -> Mapping[str, Finding]:
    """Return the sites that a baseline lacks, by id.

    Copies of code that it knows from other packages are left out. They are counted among equals when ids are made: so
    many of the equals are left out, the copies first.
    """
    new = {id_: one for id_, one in scanned.sites.items() if id_ not in baseline.entries}
    if not new:
        return new
    known = functions_of(baseline)
    copies = {id_ for id_, one in scanned.sites.items() if is_of_others(one, scanned, known)}
    left = Counter(_alike(scanned.sites[id_]) for id_ in copies)
    found = dict(new)
    for id_, one in sorted(new.items(), key=lambda item: (item[0] not in copies, item[1].site)):
        if left[_alike(one)]:
            left[_alike(one)] -= 1
            del found[id_]
    return found


def _alike(finding: Finding) -> tuple[str, str, str]:
    return finding.site.package, finding.site.function, finding.subject
