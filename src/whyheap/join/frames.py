"""Frames of a profile, spelled as the scan spells them, and which of them are the user's own code.

Deployed build and checkout differ as a rule: a frame is found again by import path, function and file name, never by
the build machine's folder.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass

from whyheap.goruntime.standard_library import is_standard
from whyheap.model.profile import HeapProfile
from whyheap.model.scan import Scan
from whyheap.model.site import Site
from whyheap.parse.go_symbol import function_name, split_symbol
from whyheap.parse.source_path import spell_foreign

_MAJOR = re.compile(r"/v\d+$")
_DEPENDENCY = re.compile(r"@v\d|(?:^|/)vendor/")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a stack. `is_own` says that it is code the user can change: the main module's."""

    site: Site
    is_own: bool


class OwnCode:
    """Tells the user's packages from others, and finds their files in the checkout."""

    def __init__(self, scan: Scan | None) -> None:
        """Without a scan only the names and folders of the deployed build tell."""
        self._module = scan.module if scan else ""
        self._scanned: set[str] = set()
        self._files: dict[tuple[str, str], str] = {}
        self._folders: dict[str, str] = {}
        self._mains: list[str] = []
        self._main_packages: dict[str, str] = {}
        for package in scan.packages if scan else ():
            self._scanned.add(package.package)
            for file in package.files:
                self._files[package.package, posixpath.basename(file)] = file
                self._folders[package.package] = posixpath.dirname(file)
        self._scan = scan

    def add_mains(self, files: Iterable[tuple[str, str]]) -> None:
        """Name the files (spelled) and import paths of programs, whose symbols all begin with `main.`."""
        for file, package in files:
            self._mains.append(file)
            self._main_packages[file] = package

    def frame(self, symbol: str, file: str, line: int) -> Frame:
        """Spell one frame of the profile."""
        package, function = split_symbol(symbol)
        function = function_name(function)
        if package == "main":
            found = self._main_file(file)
            if found is not None:
                return Frame(Site(found, line, 0, function, self._main_packages[found]), is_own=True)
            return Frame(Site(spell_foreign(file), line, 0, function, package), is_own=True)
        known = self._files.get((package, posixpath.basename(file)))
        if known is not None:
            return Frame(Site(known, line, 0, function, package), is_own=True)
        spelled = self._generated(package, file) or self._spell(file, package)
        return Frame(Site(spelled, line, 0, function, package), is_own=self._is_own(package, file))

    def _generated(self, package: str, file: str) -> str:
        """Spell a file that a //line comment names in a scanned package's folder; empty if it is not there."""
        folder = self._folders.get(package, "")
        here, _, base = file.rpartition("/")
        is_there = here == package or (here.startswith("/") and _last(here) == _last(folder))
        return posixpath.join(folder, base) if package in self._folders and is_there else ""

    def _main_file(self, file: str) -> str | None:
        """The scanned file of a program with the longest common tail."""
        parts = file.split("/")
        best, best_length = None, 0
        for candidate in self._mains:
            length = 0
            for one, other in zip(reversed(parts), reversed(candidate.split("/")), strict=False):
                if one != other:
                    break
                length += 1
            if length > best_length:
                best, best_length = candidate, length
        return best

    def _is_own(self, package: str, file: str) -> bool:
        if package in self._scanned:
            return True
        if self._module:
            return package == self._module or package.startswith(self._module + "/")
        if self._scan is not None or not package:
            return False
        return not is_standard(package) and not _DEPENDENCY.search(file)

    def _spell(self, file: str, package: str) -> str:
        """Spell a file that was not scanned: in the main module relative to its root, elsewhere as with -trimpath."""
        spelled = spell_foreign(file)
        folder, _, base = spelled.rpartition("/")
        if spelled.startswith("/") and package and _last(folder) == _last(_MAJOR.sub("", package)):
            spelled = f"{package}/{base}"
        if self._module and spelled.startswith(f"{self._module}/"):
            return spelled[len(self._module) + 1 :]
        return spelled


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def own_code(scan: Scan | None) -> OwnCode:
    """Return what tells the user's code; without a scan that is what is neither std's nor a dependency's."""
    own = OwnCode(scan)
    if scan is not None:
        own.add_mains(
            (file, package.package) for package in scan.packages if package.is_program for file in package.files
        )
    return own


class ProfileFrames:
    """The frames of each location of a profile, made once per location."""

    def __init__(self, profile: HeapProfile, own: OwnCode) -> None:
        """Frames are made when first asked for."""
        self._profile = profile
        self._own = own
        self._locations: dict[int, tuple[Frame, ...]] = {}
        self._frames: dict[tuple[int, int], Frame] = {}

    def stack(self, sample: int) -> Iterable[tuple[Frame, ...]]:
        """Yield the frames location by location, leaf first; frames of one location were inlined into its last."""
        profile = self._profile
        for location in profile.stack_locations[profile.stack_offsets[sample] : profile.stack_offsets[sample + 1]]:
            frames = self._locations.get(int(location))
            if frames is None:
                frames = self._locations[int(location)] = self._location(int(location))
            yield frames

    def _location(self, location: int) -> tuple[Frame, ...]:
        profile = self._profile
        frames = []
        for row in range(int(profile.line_offsets[location]), int(profile.line_offsets[location + 1])):
            key = (int(profile.line_functions[row]), int(profile.line_numbers[row]))
            frame = self._frames.get(key)
            if frame is None:
                symbol, file = profile.function_names[key[0]], profile.function_files[key[0]]
                frame = self._frames[key] = self._own.frame(symbol, file, key[1])
            frames.append(frame)
        return tuple(frames)
