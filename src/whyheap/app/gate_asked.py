"""What a gate was asked about when it looks at a part of the code alone, and what of it belongs to the rest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from whyheap.app.gate_scan import GateScan
from whyheap.collect.unchanged import is_path
from whyheap.model.baseline import Baseline, BaselineEntry
from whyheap.model.finding import Finding
from whyheap.model.violation import Violation

_EVERYTHING = ("./...",)


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


class Elsewhere:
    """Tells the sites that belong to packages which were not scanned, and which a baseline has entries of.

    They are copies of code that is inlined, or instances of generic code. With those packages scanned as well, the
    sites are theirs alone.
    """

    def __init__(self, scanned: GateScan, baseline: Baseline) -> None:
        """Keep which packages the baseline knows."""
        self._scanned = scanned
        self._known = {entry.package for entry in baseline.entries.values()}
        self._folders: dict[str, bool] = {}

    def __contains__(self, finding: Finding) -> bool:
        """Whether a site is one of those."""
        ways = [[place.file for place in (fact.site, *fact.inlined_at, fact.printed_at)] for fact in finding.facts]
        ways = ways or [[site.file for site in (call.site, *call.inlined_at)] for call in finding.calls or ()]
        return bool(ways) and all(any(map(self._is_known, files)) for files in ways)

    def _is_known(self, file: str) -> bool:
        """Whether a file that was not scanned is of a package of the baseline."""
        folder = file.rpartition("/")[0]
        if file in self._scanned.owners:
            return False
        if folder not in self._folders:
            scan = self._scanned.scan
            is_there = (Path(scan.root) / file).is_file()  # or it is the standard library's, of the same name
            ending = f"/{folder}" if folder else scan.module
            self._folders[folder] = is_there and any(one.endswith(ending) for one in self._known)
        return self._folders[folder]


def is_instance(entry: BaselineEntry) -> bool:
    """Whether an entry is of a generic function, which may have it through packages that were not asked about."""
    return "[...]" in entry.function


def unknown_sites(scanned: GateScan, baseline: Baseline) -> tuple[Mapping[str, Finding], int]:
    """Return the sites that a baseline lacks, by id, and how many more it lacks that belong elsewhere."""
    new = {id_: one for id_, one in scanned.sites.items() if id_ not in baseline.entries}
    others = Elsewhere(scanned, baseline)
    found = {id_: one for id_, one in new.items() if one not in others}
    return found, len(new) - len(found)
